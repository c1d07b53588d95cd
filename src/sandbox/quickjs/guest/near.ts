import { append, floor, max, min, slice, toLowerCase } from "./primordials.ts";

const maxCompared = 64;

/** At most `count` names that may have been meant by one that is not there, the nearest first. */
export function nearNames(asked: string, names: readonly string[], count: number): string[] {
  const near: string[] = [];
  const wanted = toLowerCase(slice(asked, 0, maxCompared));
  const limit = max(1, floor(wanted.length / 3));
  for (let distance = 0; distance <= limit; distance++) {
    for (let index = 0; index < names.length && near.length < count; index++) {
      const name = names[index] as string;
      const other = toLowerCase(slice(name, 0, maxCompared));
      if (distanceOf(wanted, other) === distance) append(near, name);
    }
  }
  return near;
}

/** Letters to be changed, added or taken away, two that changed places as one. */
function distanceOf(one: string, other: string): number {
  let before: number[] = [];
  let row: number[] = [];
  for (let column = 0; column <= other.length; column++) append(row, column);
  for (let line = 1; line <= one.length; line++) {
    const next: number[] = [line];
    for (let column = 1; column <= other.length; column++) {
      const cost = one[line - 1] === other[column - 1] ? 0 : 1;
      let least = min(
        (row[column] as number) + 1,
        (next[column - 1] as number) + 1,
        (row[column - 1] as number) + cost,
      );
      const isSwapped =
        line > 1 &&
        column > 1 &&
        one[line - 1] === other[column - 2] &&
        one[line - 2] === other[column - 1];
      if (isSwapped) least = min(least, (before[column - 2] as number) + 1);
      append(next, least);
    }
    before = row;
    row = next;
  }
  return row[other.length] as number;
}
