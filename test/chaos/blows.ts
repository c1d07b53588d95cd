/** Something that was done to the service's processes, which explains how programs ended. Times are of the wall clock. */
export interface Blow {
  readonly kind: BlowKind;
  /** The engine whose process it was. */
  readonly engine: string;
  readonly at: number;
  /** When a stopped process went on; the same as `at` for what is over at once. */
  until: number;
  readonly pid: number;
  /** Tokens of the stories whose end it explains: of one where the process ran one program. */
  readonly victims: Set<string>;
}

/** What a blow is: to one program, or to all of an engine. */
export type BlowKind = "kill_guest" | "stop_guest" | "kill_zygote" | "kill_engine" | "stop_engine";

/** A program of an engine, between two times. */
export interface Span {
  readonly engine: string;
  readonly from: number;
  readonly to: number;
}

// How long the service may take to see what was done, on a busy machine.
const lagMs = 5_000;
const toAll: readonly BlowKind[] = ["kill_zygote", "kill_engine", "stop_engine"];

/** Whether something was done to all of an engine's programs in a time. */
export function wasStruck(blows: readonly Blow[], span: Span): boolean {
  return blows.some((blow) => toAll.includes(blow.kind) && isIn(blow, span));
}

/** A kill of all of an engine's programs, long before one ended that ran then. */
export function survivedBlow(blows: readonly Blow[], { engine, from, to }: Span): Blow | undefined {
  return blows.find(
    (blow) =>
      (blow.kind === "kill_zygote" || blow.kind === "kill_engine") &&
      blow.engine === engine &&
      blow.at > from &&
      blow.at < to - lagMs,
  );
}

/**
 * Takes the blow that explains one program's end, the last one before it; one to a single program only
 * if it explains no other's.
 */
export function takeBlow(
  blows: readonly Blow[],
  kind: BlowKind,
  { token, ...span }: Span & { readonly token: string },
): boolean {
  const isFree = ({ victims }: Blow) =>
    toAll.includes(kind) || victims.size === 0 || victims.has(token);
  const blow = blows.findLast((one) => one.kind === kind && isIn(one, span) && isFree(one));
  blow?.victims.add(token);
  return blow !== undefined;
}

function isIn(blow: Blow, { engine, from, to }: Span): boolean {
  return blow.engine === engine && blow.at <= to && blow.until > from - lagMs;
}
