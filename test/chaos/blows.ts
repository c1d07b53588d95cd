/** Something that was done to the service's processes, which explains how programs ended. Times are of the wall clock. */
export interface Blow {
  readonly kind: BlowKind;
  /** The engine whose process it was. */
  readonly engine: string;
  readonly at: number;
  /** When a stopped process went on; the same as `at` for what is over at once. */
  until: number;
  readonly pid: number;
  /** The ends that it explains, by the tokens of their stories: one where the process ran one program. */
  readonly victims: Map<string, End>;
}

/** What a blow is: to one program, or to all of an engine. */
export type BlowKind = "kill_guest" | "stop_guest" | "kill_zygote" | "kill_engine" | "stop_engine";

/** A program of an engine, between two times. */
export interface Span {
  readonly engine: string;
  readonly from: number;
  readonly to: number;
}

/** An end that a blow of one of these kinds has to explain. */
export interface End extends Span {
  readonly token: string;
  readonly kinds: readonly BlowKind[];
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
 * Takes a blow that explains one program's end: the last one before it that is to be had. One to a single program
 * explains no other's end. Whose it was takes another where there is one, so that an end is left without only
 * where there are too few: which blow was whose can't be seen, and ends are told later than they come.
 */
export function takeBlow(blows: readonly Blow[], end: End): boolean {
  const asked = new Set<Blow>();
  const explains = (blow: Blow, { kinds, ...span }: End) =>
    kinds.includes(blow.kind) && isIn(blow, span);
  const take = (one: End): boolean =>
    blows.toReversed().some((blow) => {
      if (asked.has(blow) || !explains(blow, one)) return false;
      asked.add(blow);
      const { kind, victims } = blow;
      const [holder] = toAll.includes(kind) ? [] : victims.values();
      if (holder !== undefined && !take(holder)) return false;
      if (holder !== undefined) victims.delete(holder.token);
      victims.set(one.token, one);
      return true;
    });
  return blows.some((blow) => explains(blow, end) && blow.victims.has(end.token)) || take(end);
}

function isIn(blow: Blow, { engine, from, to }: Span): boolean {
  return blow.engine === engine && blow.at <= to && blow.until > from - lagMs;
}
