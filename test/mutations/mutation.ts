import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A fault that is put into the code, and the test that has to notice. */
export interface Mutation {
  /** What the code does no more: continues "without ...". */
  readonly without: string;
  /** File below the project's root. */
  readonly file: string;
  /** Text that is there exactly once. */
  readonly from: string;
  readonly to: string;
  /** Title of the test as docs/reliability.md has it. */
  readonly red: string;
  /** Test file that runs it; where a suite has the title, one that runs the suite. */
  readonly test: string;
}

/** Whether the text that a mutation replaces is there, once. */
export function applies({ file, from }: Mutation, root: string): boolean {
  return readFileSync(join(root, file), "utf8").split(from).length === 2;
}

/** Puts a mutation into the tree at `root`; disposing takes it out. Throws when it does not apply. */
export function mutate(mutation: Mutation, root: string): Disposable {
  const { file, from, to } = mutation;
  if (!applies(mutation, root)) throw new Error(`not there exactly once in ${file}: ${from}`);
  const path = join(root, file);
  const source = readFileSync(path, "utf8");
  writeFileSync(
    path,
    source.replace(from, () => to),
  );
  return { [Symbol.dispose]: () => writeFileSync(path, source) };
}
