/** Something that was done to the service's processes, which explains how programs ended. Times are of the wall clock. */
export interface Blow {
  readonly kind: "kill_guest" | "stop_guest" | "kill_zygote" | "kill_engine";
  readonly at: number;
  /** When a stopped process went on; the same as `at` for what is over at once. */
  until: number;
  readonly pid: number;
  /** The story whose end it explains: one process runs one program. */
  explains: string | undefined;
}

// How long the service may take to see what was done, on a busy machine.
const lagMs = 5_000;

/** Whether something was done to all of a zygote's or an engine's programs between two times. */
export function wasStruck(blows: readonly Blow[], from: number, to: number): boolean {
  return blows.some(
    ({ kind, at }) =>
      (kind === "kill_zygote" || kind === "kill_engine") && at > from - lagMs && at <= to,
  );
}

/** Takes the blow that explains one program's end, if there is one that explains no other's. */
export function takeBlow(
  blows: readonly Blow[],
  kind: Blow["kind"],
  { token, from, to }: { readonly token: string; readonly from: number; readonly to: number },
): boolean {
  const blow = blows.find(
    (one) =>
      one.kind === kind &&
      one.at <= to &&
      one.until > from - lagMs &&
      (one.explains === undefined || one.explains === token),
  );
  if (blow === undefined) return false;
  blow.explains = token;
  return true;
}
