import type { ToolDeclaration } from "../shared/model.ts";
import type { Steps } from "../shared/turns.ts";

/** A tool that was found, and how well it fits; more is better. */
export interface Found {
  readonly tool: ToolDeclaration;
  readonly score: number;
}

/** What is looked at of a tool. */
interface Entry {
  readonly nameWords: ReadonlySet<string>;
  readonly words: ReadonlySet<string>;
  readonly pairs: ReadonlySet<string>;
}

const maxQueryWords = 16;
const minPrefix = 3;
const minLikeness = 0.4;
const fillers = new Set("a an and by for from how i in is it of on or the to what with".split(" "));

// Lists of services are shared by their executions; words are counted once.
const entries = new WeakMap<ToolDeclaration, Entry>();

/** Counts the words of tools ahead of a search: a first one among many takes long. */
export function* readWords(tools: readonly ToolDeclaration[]): Steps<void> {
  for (const tool of tools) {
    yield;
    entryOf(tool);
  }
}

/**
 * The tools that a query fits, best first: by the words that it shares with names and descriptions,
 * names and rare words counting more, beginnings of words less.
 */
export function searchTools(
  tools: readonly ToolDeclaration[],
  query: string,
  limit: number,
): readonly Found[] {
  const asked = [...new Set(wordsOf(query))];
  const meaningful = asked.filter((word) => !fillers.has(word));
  const words = (meaningful.length > 0 ? meaningful : asked).slice(0, maxQueryWords);
  const weights = new Map(words.map((word) => [word, rarity(word, tools)]));
  return tools
    .map((tool) => ({ tool, score: score(entryOf(tool), weights) }))
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || compare(one.tool.name, other.tool.name))
    .slice(0, limit);
}

/** At most three names that are spelled much like the one given, the likest first. */
export function nearNames(tools: readonly ToolDeclaration[], name: string): readonly string[] {
  const pairs = pairsOf(name.slice(0, 128));
  return tools
    .map((tool) => ({ name: tool.name, likeness: likeness(pairs, entryOf(tool).pairs) }))
    .filter(({ likeness }) => likeness >= minLikeness)
    .sort((one, other) => other.likeness - one.likeness || compare(one.name, other.name))
    .slice(0, 3)
    .map((near) => near.name);
}

/** The words of a text in lower case and without common endings; camelCase and snake_case are words. */
export function wordsOf(text: string): readonly string[] {
  const spaced = text.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2").toLowerCase();
  return (spaced.match(/[\p{L}\p{N}]+/gu) ?? []).map(stem);
}

function stem(word: string): string {
  if (word.length > 4 && word.endsWith("ies")) return `${word.slice(0, -3)}y`;
  if (word.length > 4 && /(?:ss|x|z|ch|sh)es$/.test(word)) return word.slice(0, -2);
  if (word.length > 3 && /[^su]s$/.test(word)) return word.slice(0, -1);
  if (word.length > 5 && word.endsWith("ing")) return word.slice(0, -3);
  if (word.length > 4 && word.endsWith("ed")) return word.slice(0, -2);
  return word;
}

function entryOf(tool: ToolDeclaration): Entry {
  const known = entries.get(tool);
  if (known !== undefined) return known;
  const nameWords = new Set(wordsOf(tool.name));
  const described = wordsOf(tool.description).filter((word) => !fillers.has(word));
  const words = new Set([...nameWords, ...described]);
  const entry = { nameWords, words, pairs: pairsOf(tool.name) };
  entries.set(tool, entry);
  return entry;
}

function rarity(word: string, tools: readonly ToolDeclaration[]): number {
  const holders = tools.filter((tool) => entryOf(tool).words.has(word)).length;
  return Math.log(1 + tools.length / (1 + holders));
}

function score({ nameWords, words }: Entry, weights: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const [word, weight] of weights) {
    if (nameWords.has(word)) total += 4 * weight;
    else if (hasPrefix(nameWords, word)) total += 2 * weight;
    else if (words.has(word)) total += 1.5 * weight;
    else if (hasPrefix(words, word)) total += 0.75 * weight;
  }
  return total;
}

/** One of the words begins with the other, as "forecast" and "forecaster" do. */
function hasPrefix(words: ReadonlySet<string>, asked: string): boolean {
  for (const word of words) {
    const [short, long] = word.length < asked.length ? [word, asked] : [asked, word];
    if (short.length >= minPrefix && long.startsWith(short)) return true;
  }
  return false;
}

/** Neighbouring letters of a name, its ends marked; case and what separates its words do not matter. */
function pairsOf(name: string): ReadonlySet<string> {
  const letters = [" ", ...name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, ""), " "];
  return new Set(letters.slice(1).map((letter, index) => `${letters[index]}${letter}`));
}

/** Dice's coefficient, 0 to 1. */
function likeness(one: ReadonlySet<string>, other: ReadonlySet<string>): number {
  let shared = 0;
  for (const pair of one) if (other.has(pair)) shared += 1;
  return (2 * shared) / (one.size + other.size);
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
