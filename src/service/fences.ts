import { isOtherLanguage } from "./fence-languages.ts";
import { openAfter } from "./open-text.ts";

/** The inside of a fence: lines, the second bound not included. */
export interface Block {
  readonly from: number;
  readonly to: number;
  /** What follows the opening marks, in lower case: usually the name of a language. */
  readonly word: string;
}

/** The fences of a text that are in the language of its request, or why they are no program. */
export interface Fences {
  readonly blocks: readonly Block[];
  readonly fault: string;
  /** Line of the fault, from 1. */
  readonly line: number;
}

interface Opening {
  readonly marks: string;
  readonly word: string;
}

/** The fences of a text that count; undefined where it has none. */
export function findFences(lines: readonly string[], language: string): Fences | undefined {
  const all = findBlocks(lines, language);
  const blocks: Block[] = [];
  let second: Block | undefined;
  let isApart = false;
  for (const [index, block] of all.entries()) {
    const start = all[index - 1]?.to ?? -1;
    isApart ||= !isBlank(lines, start + 1, block.from - 1);
    if (isOtherLanguage(block.word, language)) continue;
    if (isApart && blocks.length > 0) second ??= block;
    blocks.push(block);
    isApart = false;
  }
  const [first] = all;
  if (first === undefined) return undefined;
  if (blocks.length === 0) {
    const fault = `the program is fenced as ${first.word}, and the language of the request is ${language}`;
    return { blocks, fault, line: first.from };
  }
  if (second === undefined) return { blocks, fault: "", line: 0 };
  return { blocks, fault: "two programs: send one", line: second.from };
}

/** All fences, but those that stand within a text or a comment of the program. */
function findBlocks(lines: readonly string[], language: string): Block[] {
  const blocks: Block[] = [];
  let open = "";
  let isBlankSoFar = true;
  let grammar = language;
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    const opening = open === "" ? toOpening(line, isBlankSoFar) : undefined;
    isBlankSoFar &&= line.trim() === "";
    if (opening === undefined) {
      open = openAfter(line, open, grammar);
      continue;
    }
    const { end, isSure } = findEnd(lines, index, opening.marks, grammar);
    // A text that is never closed is none: from here on whatever looks like an end is one.
    if (!isSure) grammar = "";
    const block = { from: index + 1, to: end, word: opening.word };
    if (end < lines.length || !isBlank(lines, block.from, end)) blocks.push(block);
    // An end without a beginning: the program stands before it.
    else if (opening.word === "" && blocks.length === 0 && !isBlankSoFar)
      return [{ from: 0, to: index, word: "" }];
    index = end;
  }
  return blocks;
}

function isBlank(lines: readonly string[], from: number, to: number): boolean {
  for (let index = from; index < to; index += 1) if (lines[index]?.trim() !== "") return false;
  return true;
}

/**
 * As in CommonMark, with any indent: no backtick follows on the line, which keeps inline code out. Tildes,
 * which are operators too, only where the text begins.
 */
function toOpening(line: string, isFirst: boolean): Opening | undefined {
  const [, marks, info] = /^\s*(`{3,}|~{3,})([^`]*)$/.exec(line) ?? [];
  if (marks === undefined || info === undefined) return undefined;
  if (marks.startsWith("~") && !isFirst) return undefined;
  const [, word] = /^\s*\{?\.?([\w+#-]*)[\s,:}]?/.exec(info) ?? [];
  // What looks like code is none of a fence's.
  if (word === undefined || /[()[\]]|\s=/.test(info)) return undefined;
  return { marks, word: word.toLowerCase() };
}

/**
 * The line that closes a fence, or the number of lines: where possible, and then it is sure, one that
 * stands in no text or comment of the program.
 */
function findEnd(
  lines: readonly string[],
  start: number,
  marks: string,
  grammar: string,
): { end: number; isSure: boolean } {
  let open = "";
  let anyEnd: number | undefined;
  for (let index = start + 1; index < lines.length; index += 1) {
    const line = lines[index] ?? "";
    if (closes(line.trim(), marks)) {
      if (open === "") return { end: index, isSure: true };
      anyEnd ??= index;
    }
    open = openAfter(line, open, grammar);
  }
  return { end: anyEnd ?? lines.length, isSure: false };
}

function closes(line: string, marks: string): boolean {
  return line.length >= marks.length && line === marks.charAt(0).repeat(line.length);
}
