import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder of the project. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** One fenced code block of a page. */
export interface Block {
  /** Path from the root, such as "docs/isolation.md". */
  readonly file: string;
  /** Line of the opening fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly code: string;
  /** What a comment `<!-- not run: reason -->` on the line before says. */
  readonly notRun: string | undefined;
}

/** README.md and the guides, as paths from the root. */
export const pages: readonly string[] = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `docs/${name}`),
];

/** Text of a page. */
export function readPage(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** The fenced code blocks of a page, in order. Throws for a fence that is never closed. */
export function blocksOf(file: string, text = readPage(file)): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at++) {
    const fence = /^```(\w*)$/.exec(lines[at] ?? "");
    if (fence === null) continue;
    const end = lines.indexOf("```", at + 1);
    if (end < 0) throw new Error(`${file}:${at + 1}: the block is not closed`);
    blocks.push({
      file,
      line: at + 1,
      language: fence[1] ?? "",
      code: `${lines.slice(at + 1, end).join("\n")}\n`,
      notRun: /^<!-- not run: (.+) -->$/.exec(lines[at - 1] ?? "")?.[1],
    });
    at = end;
  }
  return blocks;
}

/**
 * What comments of a block say, such as `// prints: 4` or `# fails: timeout`; "prints" may come
 * more than once and end a line of code.
 */
export function wordsOf({ code }: Block, word: string): string[] {
  const pattern = new RegExp(`(?:^|\\s)(?://|#) ${word}: ?(.*)$`, "gm");
  return [...code.matchAll(pattern)].map(([, text]) => text ?? "");
}

/** The rows of the table of a page whose head begins with these cells. */
export function tableOf(file: string, ...head: readonly string[]): string[][] {
  const lines = readPage(file).split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${head.join(" | ")} |`));
  if (start < 0) throw new Error(`${file}: no table begins with ${head.join(" | ")}`);
  const rows: string[][] = [];
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}
