import { tableOf } from "./blocks.ts";

/** A promise of docs/reliability.md, and a test that it names. */
export interface Named {
  readonly promise: string;
  readonly file: string;
  readonly title: string;
}

/** Rows of the table: a promise, and the tests that hold it. */
export const promises = tableOf("docs/reliability.md", "Promise", "Held by");

/** Tests that a row names: `[name](../test/...): "title"; "title"; [name](...): "title"` */
export function testsOf(promise: string, cell: string): Named[] {
  const found: Named[] = [];
  for (const [, link = "", titles = ""] of cell.matchAll(/\]\(\.\.\/([^)]+)\):((?: "[^"]+";?)+)/g))
    for (const [, title = ""] of titles.matchAll(/"([^"]+)"/g))
      found.push({ promise, file: link, title });
  return found;
}
