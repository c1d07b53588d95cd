import type { FailureReason, JsonValue, Limits } from "../../src/shared/model.ts";
import { pythonSource } from "./python-programs.ts";

/** What programs do. */
export type Kind =
  | "value"
  | "output"
  | "spill"
  | "sequential"
  | "parallel"
  | "failing"
  | "slow"
  | "unanswered"
  | "sleep"
  | "spin"
  | "hog"
  | "bomb"
  | "flood"
  | "segfault"
  | "exit"
  | "exception"
  | "syntax"
  | "near_wall"
  | "near_active"
  | "near_wait";

/** A program as the plan has it. */
export interface Program {
  readonly kind: Kind;
  readonly language: string;
  /** How many lines or calls. */
  readonly count: number;
  /** How long it takes where it takes time, milliseconds. */
  readonly ms: number;
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

/** Source of each language's programs: a language more is a row more. */
const sources: Readonly<Record<string, (program: Program) => string>> = { python: pythonSource };

/** Languages that have programs. */
export const programLanguages: readonly string[] = Object.keys(sources);

/** Source of a program. It finds its token and its tenant in its context. */
export function sourceOf(program: Program): string {
  const source = sources[program.language];
  if (source === undefined) throw new Error(`no programs are written in ${program.language}`);
  return source(program);
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
  wallMs: 20_000,
  activeMs: 15_000,
  waitMs: 8_000,
  memoryBytes: 64 * MiB,
  outputBytes: 64 * MiB,
  toolCalls: 1_000,
  openToolCalls: 100,
  threads: 8,
};

/** Limits under which a program ends as it is meant to. */
export function limitsOf({ kind, ms }: Program): Limits {
  switch (kind) {
    case "sleep":
      return { ...roomy, wallMs: ms };
    case "spin":
      return { ...roomy, activeMs: ms };
    case "bomb":
      return { ...roomy, memoryBytes: 32 * MiB };
    case "flood":
      return { ...roomy, outputBytes: 300_000 };
    case "unanswered":
      return { ...roomy, waitMs: ms };
    case "near_wall":
      return { ...roomy, wallMs: ms + 60 };
    case "near_active":
      return { ...roomy, activeMs: ms + 20 };
    case "near_wait":
      return { ...roomy, waitMs: ms + 20 };
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
