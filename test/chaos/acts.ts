import type { Program } from "./programs.ts";

/** What a client is: the SDK, a client generated from the proto, or one that reads frames by hand. */
export type Role = "sdk" | "generated" | "raw";

/**
 * How a program is run: `execute` is unary, `stream` follows its log, `interactive` answers its tools
 * on the same stream. With `stream` the tools are answered by SubmitToolResult.
 */
export type Road = "execute" | "stream" | "interactive";

/** When something happens to a reader: after so many of its events, or so long after its start. */
export type Moment = { readonly events: number } | { readonly ms: number };

/** How a reader leaves, and comes back. */
export interface Leave {
  readonly at: Moment;
  /** Resets its stream, loses its connection, or gets nothing for a while; the SDK's also lets go. */
  readonly how: "drop" | "cut" | "stall" | "detach";
  /** How long it is away, milliseconds. */
  readonly awayMs: number;
  readonly back: "watch" | "answer" | "never";
  /** Whether it goes on after the last event that it saw, or begins again. */
  readonly isFromStart: boolean;
}

/** What else happens beside the reader that starts a program. */
export interface Beside {
  readonly kind: /** The same request with the same id. */
    | "twin"
    /** Another request with the same id. */
    | "impostor"
    /** The same id of another tenant. */
    | "namesake"
    | "watch"
    /** Another client attaches, and answers the tools. */
    | "takeover"
    | "cancel"
    /** Another tenant tries everything with the execution's id. */
    | "snoop";
  readonly atMs: number;
  /** For a watcher: leaves after so many events, and reads on from there at once. */
  readonly leavesAfter: number | undefined;
  readonly slowMs: number;
}

/** One program that a client runs, and all that happens around it. */
export interface Act {
  /** Of this act alone: every value, line and effect of its program carries it. */
  readonly token: string;
  /** How long the client waits before, milliseconds. */
  readonly pauseMs: number;
  readonly program: Program;
  readonly road: Road;
  /** Empty for none. */
  readonly requestId: string;
  readonly keepMs: number;
  /** Deadline of the call that starts it; undefined for a long one. */
  readonly deadlineMs: number | undefined;
  /** How long the reader takes for an event, milliseconds. */
  readonly slowMs: number;
  readonly leaves: readonly Leave[];
  readonly beside: readonly Beside[];
}

/** What one client does, one act after the other, as many as there is time for. */
export interface ClientPlan {
  readonly name: string;
  readonly tenant: string;
  readonly role: Role;
  readonly acts: readonly Act[];
}

/** What is done to the service at a time after the start. */
export type Fault = { readonly atMs: number } & (
  | {
      readonly kind: "kill_guest";
      /** Which of those that live, 0 to 1. */
      readonly place: number;
    }
  | {
      /** The engine's process, with all of its threads. */
      readonly kind: "stop_guest" | "stop_engine";
      readonly place: number;
      /** When it goes on; undefined for never: the host has to end it. */
      readonly forMs: number | undefined;
    }
  /** The zygote, or the process that holds its guests' namespace. */
  | { readonly kind: "kill_zygote"; readonly place: number }
  /** The process of JavaScript's threads, or its launcher. */
  | { readonly kind: "kill_engine"; readonly place: number }
  /** Many programs of one tenant at once, more than may wait. */
  | { readonly kind: "burst"; readonly tenant: string; readonly acts: readonly Act[] }
);

/** Every kind of fault. */
export const faultKinds = [
  "kill_guest",
  "stop_guest",
  "kill_zygote",
  "kill_engine",
  "stop_engine",
  "burst",
] as const satisfies readonly Fault["kind"][];

/** Everything that a run chooses. */
export interface Plan {
  readonly seed: number;
  readonly clients: readonly ClientPlan[];
  readonly faults: readonly Fault[];
}
