import { afterAll, beforeAll, expect, it } from "vitest";
import type { Executor, GuestEvent } from "../../../src/executors/executor.ts";
import type { ProgramValue } from "../../../src/shared/model.ts";
import { type Collected, collect, type RunOptions } from "../../support/programs.ts";
import type { Capability, Lacks, Programs } from "../programs/programs.ts";

/** What the suite is told of an engine; everything may be left out. */
export interface EngineTraits {
  /** What this engine is without, beside what its language is without. */
  readonly lacks?: Lacks;
  /** How many runs look for what is left behind, and why not 1,000. */
  readonly runs?: { readonly count: number; readonly why: string };
  /** The part of repeated and parallel runs that is done, for an engine that is slow to start; and why. */
  readonly repeats?: { readonly share: number; readonly why: string };
  /** The part of each table of values that is tried, spread over it, and why; all by default. */
  readonly values?: { readonly share: number; readonly why: string };
  /** The longest from the abort of a run's signal to its `ended`, milliseconds. Default: 1,000. */
  readonly endsWithinMs?: number;
  /** The longest that an engine takes to be back at rest after its runs, milliseconds. Default: 10,000. */
  readonly settlesWithinMs?: number;
  /** Memory that many runs may add to the engine's processes, bytes; for caches that fill. Default: 16 MiB. */
  readonly addedMemoryBytes?: number;
}

/** An engine under test. */
export interface Subject {
  readonly programs: Programs;
  readonly traits: EngineTraits;
  /** The engine that the tests share. */
  readonly executor: Executor;
  /** Another one, the caller's to dispose. */
  create(): Promise<Executor>;
  /** Runs a program on the shared engine, and checks that its events are in form. */
  run(code: string, options?: RunOptions): Promise<Collected>;
  /** How often something is repeated that the suite wants `count` times: once at least. */
  times(count: number): number;
  /** The rows of a table of values that are tried. */
  rows<T>(table: readonly T[]): readonly T[];
  /** A test; it is skipped, with the reason, where the language or the engine lacks what it needs. */
  it(needs: Needs, title: string, body: () => Promise<void>, timeoutMs?: number): void;
}

/** What a test needs beside what every engine has. */
export type Needs = Capability | readonly Capability[] | undefined;

/** Sets an engine up for the tests of this file, and takes it down after them. */
export function setUpSubject(
  create: () => Promise<Executor>,
  programs: Programs,
  traits: EngineTraits,
): Subject {
  let executor: Executor | undefined;
  beforeAll(async () => {
    executor = await create();
    const { up, reason } = executor.info();
    if (!up) throw new Error(`the engine is not up: ${reason}`);
  });
  afterAll(() => executor?.[Symbol.asyncDispose]());
  const lacks: Lacks = { ...programs.lacks, ...traits.lacks };
  const { language } = programs;
  const theExecutor = () => {
    if (executor === undefined) throw new Error("the engine has not been started");
    return executor;
  };
  return {
    programs,
    traits,
    get executor() {
      return theExecutor();
    },
    create,
    rows(table) {
      const every = Math.round(1 / (traits.values?.share ?? 1));
      return table.filter((_row, n) => n % every === 0);
    },
    times: (count) => Math.ceil(count * (traits.repeats?.share ?? 1)),
    async run(code, options = {}) {
      const collected = await collect(theExecutor(), code, { language, ...options });
      checkForm(collected);
      return collected;
    },
    it(needs, title, body, timeoutMs) {
      const lacking = [needs ?? []].flat().find((each) => lacks[each] !== undefined);
      if (lacking === undefined) it(title, body, timeoutMs);
      else it(title, (context) => context.skip(`no ${lacking}: ${lacks[lacking]}`));
    },
  };
}

/** A program that the language must have, since nothing said that it lacks it. */
export function given<T>(program: T | undefined): T {
  if (program === undefined) throw new Error("the language has no such program, and no reason why");
  return program;
}

/** The value of a program that must complete with JSON, as JSON text. */
export function jsonOf({ result }: Collected): string | undefined {
  if (result.status === "failed") expect.fail(`${result.error.type}: ${result.error.message}`);
  return result.value.json;
}

/** The value of a program that ran to its end. */
export function programValue({ result }: Collected): ProgramValue {
  if (result.status !== "completed") throw new Error(`no value: ${result.error.message}`);
  return result.value;
}

/** How a program that must fail has failed. */
export function failureOf({ result }: Collected) {
  if (result.status === "completed") expect.fail(`it completed: ${result.value.text}`);
  return result.error;
}

/** What holds of every run: `started` first, `ended` once and last, calls numbered, bytes counted. */
function checkForm({ events, usage }: Collected): void {
  const typeCount = (type: GuestEvent["type"]) =>
    events.filter((event) => event.type === type).length;
  expect([events[0]?.type, typeCount("started")]).toEqual(["started", 1]);
  expect([events.at(-1)?.type, typeCount("ended")]).toEqual(["ended", 1]);
  const calls = events.flatMap((event) => (event.type === "tool_call" ? event.call : []));
  expect(calls).toEqual(calls.map((_call, index) => index + 1));
  const text = events.map((event) => (event.type === "output" ? event.text : "")).join("");
  // A character that a limit cut in two is shown by a mark of another length.
  if (!text.includes("\ufffd")) expect(usage.outputBytes).toBe(Buffer.byteLength(text));
  expect(usage.cpuMs).toBeGreaterThanOrEqual(0);
  expect(usage.peakMemoryBytes).toBeGreaterThanOrEqual(0);
}
