import type { FailureReason, JsonValue, Limits } from "../../src/shared/model.ts";
import { javascriptLacks, javascriptSource, typescriptSource } from "./javascript-programs.ts";
import { pythonSource } from "./python-programs.ts";

/** What programs do. Those that are near press a clock: their time and their limit are almost the same. */
export const kinds = [
  "value",
  "output",
  "spill",
  "sequential",
  "parallel",
  "failing",
  "slow",
  "unanswered",
  "sleep",
  "spin",
  "stuck",
  "hog",
  "bomb",
  "flood",
  "segfault",
  "exit",
  "exception",
  "syntax",
  "near_wall",
  "near_active",
  "near_wait",
] as const;

/** One of `kinds`. */
export type Kind = (typeof kinds)[number];

/** A program as the plan has it. */
export interface Program {
  readonly kind: Kind;
  readonly language: string;
  /** How many lines or calls. */
  readonly count: number;
  /** How long it takes where it takes time, milliseconds. */
  readonly ms: number;
  /** How much later its limit comes, where it presses a clock, milliseconds; below 0 for too early. */
  readonly slackMs: number;
}

/** How a program may end when nothing is done to it. */
export interface Expected {
  /** Values of which it gives one; none where it never completes. */
  readonly values: readonly JsonValue[];
  /** Failures that are its own. */
  readonly reasons: readonly FailureReason[];
  /** Lines of stdout when it completes; undefined where it depends. */
  readonly lines: number | undefined;
  /** The message of its exception. */
  readonly message: string | undefined;
}

interface ProgramLanguage {
  /** The engine that runs it in the service under test. */
  readonly engine: string;
  readonly source: (program: Program) => string;
  /** Kinds that cannot be written in it. */
  readonly lacks: readonly Kind[];
}

/** A language more is a row more. Pyodide takes no part: it stands in where there is no cpython. */
const languages: Readonly<Record<string, ProgramLanguage>> = {
  python: { engine: "cpython", source: pythonSource, lacks: [] },
  javascript: { engine: "quickjs", source: javascriptSource, lacks: javascriptLacks },
  typescript: { engine: "quickjs", source: typescriptSource, lacks: javascriptLacks },
};

/** Languages that have programs. */
export const programLanguages: readonly string[] = Object.keys(languages);

/** Engines that run them. */
export const programEngines: readonly string[] = [
  ...new Set(Object.values(languages).map(({ engine }) => engine)),
];

/** Source of a program. It finds its token and its tenant in its context. */
export function sourceOf(program: Program): string {
  return languageOf(program).source(program);
}

/** The engine that runs a program. */
export function engineOf(program: Program): string {
  return languageOf(program).engine;
}

/** Whether a language has programs of a kind. */
export function hasKind(language: string, kind: Kind): boolean {
  return !languageOf({ language }).lacks.includes(kind);
}

function languageOf({ language }: Pick<Program, "language">): ProgramLanguage {
  const found = languages[language];
  if (found === undefined) throw new Error(`no programs are written in ${language}`);
  return found;
}

const toolKinds: ReadonlySet<Kind> = new Set([
  "sequential",
  "parallel",
  "failing",
  "slow",
  "unanswered",
  "near_wait",
]);

/** Whether the caller's own tools are called. */
export function callsTools({ kind }: Pick<Program, "kind">): boolean {
  return toolKinds.has(kind);
}

const MiB = 1024 * 1024;

// So roomy that a busy machine alone runs no program into them.
const roomy: Limits = {
  wallMs: 40_000,
  activeMs: 20_000,
  waitMs: 8_000,
  memoryBytes: 64 * MiB,
  outputBytes: 64 * MiB,
  toolCalls: 1_000,
  openToolCalls: 100,
  threads: 8,
};

/** Limits under which a program ends as it is meant to. */
export function limitsOf({ kind, ms, slackMs }: Program): Limits {
  switch (kind) {
    case "sleep":
      return { ...roomy, wallMs: ms };
    case "spin":
    case "stuck":
      return { ...roomy, activeMs: ms };
    case "bomb":
      return { ...roomy, memoryBytes: 32 * MiB };
    case "flood":
      return { ...roomy, outputBytes: 300_000 };
    case "unanswered":
      return { ...roomy, waitMs: ms };
    case "near_wall":
      return { ...roomy, wallMs: ms + slackMs };
    case "near_active":
      return { ...roomy, activeMs: ms + slackMs };
    case "near_wait":
      return { ...roomy, waitMs: ms + slackMs };
    default:
      return roomy;
  }
}

/** How a program with a token may end when nothing is done to it. */
export function expectedOf({ kind, count }: Program, token: string, tenant: string): Expected {
  const labels = Array.from({ length: count }, (_, index) => `${token}/${index}`);
  const fails = (...reasons: FailureReason[]) => {
    return { values: [], reasons, lines: undefined, message: undefined };
  };
  const gives = (lines: number | undefined, ...values: JsonValue[]): Expected => {
    return { values, reasons: [], lines, message: undefined };
  };
  switch (kind) {
    case "value":
      return gives(1, { token, tenant, big: 2n ** 60n + BigInt(count) });
    case "output":
    case "spill":
      return gives(count, [token, count]);
    case "sequential":
    case "slow":
      return gives(count + 1, [token, labels]);
    case "parallel":
      return gives(1, [token, labels]);
    case "failing":
      return gives(count + 1, [token, labels.map((label) => `refused ${label}`)]);
    case "unanswered":
      return gives(1, [token, "gave up"]);
    case "hog":
      return gives(1, [token, "hog"]);
    case "near_wait":
      return gives(1, [token, labels[0] ?? ""], [token, "gave up"]);
    case "near_wall":
    case "near_active":
      return { ...gives(1, [token, "in time"]), reasons: ["timeout"] };
    case "sleep":
    case "spin":
    case "stuck":
      return fails("timeout");
    case "bomb":
      return fails("memory");
    case "flood":
      return fails("output_limit");
    case "segfault":
    case "exit":
      return fails("crashed");
    case "exception":
      return { ...fails("exception"), message: token };
    case "syntax":
      return fails("syntax");
  }
}

const padding: Partial<Record<Kind, number>> = { spill: 180, flood: 40 };

/** What each line has after its number, so that large output has few lines. */
export function paddingOf(kind: Kind): string {
  return "x".repeat(padding[kind] ?? 0);
}

/** A piece of the endless text of which every program's stdout is the beginning. */
export function stdoutPiece(kind: Kind, token: string, from: number, length: number): string {
  const line = (index: number) => `${token} ${String(index).padStart(8, "0")}${paddingOf(kind)}\n`;
  const width = line(0).length;
  const first = Math.floor(from / width);
  const last = Math.floor((from + length) / width);
  const lines = Array.from({ length: last - first + 1 }, (_, index) => line(first + index));
  return lines.join("").slice(from - first * width, from - first * width + length);
}

/** Length of so many lines of stdout, characters and bytes. */
export function stdoutLength(kind: Kind, token: string, lines: number): number {
  return lines * (token.length + 1 + 8 + paddingOf(kind).length + 1);
}
