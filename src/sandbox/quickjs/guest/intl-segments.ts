import { append, hidden, slice, trunc } from "./primordials.ts";

/** Where a segment begins, and of words whether it is like one. */
export type Boundary = readonly [index: number, isWordLike?: boolean];

/** The segments of a text, as a list that can also say which one contains a place. */
export function segmentsOf(input: string, boundaries: readonly Boundary[]): object[] {
  const endOf = (at: number) => boundaries[at + 1]?.[0] ?? input.length;
  const segmentAt = (at: number): object => {
    const index = boundaries[at]?.[0] ?? 0;
    const isWordLike = boundaries[at]?.[1];
    const segment = slice(input, index, endOf(at));
    return isWordLike === undefined
      ? { segment, index, input }
      : { segment, index, input, isWordLike };
  };
  const segments: object[] = [];
  for (let at = 0; at < boundaries.length; at++) append(segments, segmentAt(at));
  const containing = (place?: unknown) => {
    const index = trunc(+(place as number)) || 0; // NaN is the first
    if (index < 0 || index >= input.length) return undefined;
    let at = 0;
    while (endOf(at) <= index) at++;
    return segmentAt(at);
  };
  hidden(segments, "containing", containing);
  return segments;
}
