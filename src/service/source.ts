import type { Unfenced } from "../shared/model.ts";
import { type Fences, findFences } from "./fences.ts";

/** A program's text as its engine gets it. */
export interface Source {
  readonly code: string;
  readonly unfenced: Unfenced | undefined;
}

/** Languages whose engines try the text as it stands first: in others a fence never begins a line. */
const triedFirst: ReadonlySet<string> = new Set(["python"]);
const mayHaveFence = /```|^\s*~~~/;
const byteOrderMark = "\ufeff";

/**
 * The one place where a text is made ready for its engine: the byte order mark goes, line ends become
 * "\n", and Markdown fences are taken off. Every line keeps its number.
 */
export function readSource(text: string, language: string): Source {
  const code = withoutMark(text).replace(/\r\n?/g, "\n");
  if (!mayHaveFence.test(code)) return { code, unfenced: undefined };
  const lines = code.split("\n");
  const fences = findFences(lines, language);
  if (fences === undefined) return { code, unfenced: undefined };
  const unfenced = toUnfenced(lines, fences);
  if (triedFirst.has(language) || unfenced.fault !== "") return { code, unfenced };
  return { code: unfenced.code, unfenced: undefined };
}

/** All that is not within the fences is blank. */
function toUnfenced(lines: readonly string[], { blocks, fault, line }: Fences): Unfenced {
  const kept = lines.map(() => "");
  for (const { from, to } of fault === "" ? blocks : []) {
    for (let index = from; index < to; index += 1) kept[index] = lines[index] ?? "";
    kept[from] = withoutMark(kept[from] ?? "");
  }
  return { code: kept.join("\n"), fault, line };
}

function withoutMark(text: string): string {
  return text.startsWith(byteOrderMark) ? text.slice(1) : text;
}
