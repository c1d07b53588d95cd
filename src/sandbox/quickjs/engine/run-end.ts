/** How a run ended, as its thread or the engine saw it; the host makes a GuestExit of it. */
export interface RunEnd {
  readonly cause: "exited" | "signalled" | "cpu" | "lost";
  readonly detail: string;
}

/** Thrown through an instance to end it at once: no code of the guest's runs any more. */
export class RunStop extends Error {
  readonly end: RunEnd;

  constructor(end: RunEnd) {
    super(end.cause);
    this.name = "RunStop";
    this.end = end;
  }
}

/** The program has said how it ended. */
export const finished: RunEnd = { cause: "exited", detail: "status 0" };

/** The host has asked for its end. */
export const killed: RunEnd = { cause: "signalled", detail: "SIGKILL" };
