import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, getPriority } from "node:os";
import { describe, expect, it, vi } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { descendants, hasProc } from "../support/processes.ts";
import { collect, jsonOf, type RunOptions } from "../support/programs.ts";
import { noPyodide, startPyodide } from "../support/pyodide.ts";
import { startQuickjs } from "../support/quickjs.ts";
import { missing } from "../support/toolchain.ts";

const ownNice = getPriority();
const noRoom = await missing("a priority above the lowest, to be lowered", () => {
  if (!hasProc) throw new Error("there is no /proc");
  if (ownNice === 19) throw new Error("this process has the lowest itself");
});
const soon = { timeout: 15_000, interval: 20 };

/** The nice values of threads of this process's descendants whose command line says this: field 19 of stat. */
function nices(command: RegExp, thread = /./): number[] {
  const found = descendants().filter(
    ({ pid, name }) => !name.startsWith("python") && command.test(textOf(`${pid}/cmdline`)),
  );
  return found.flatMap(({ pid }) =>
    readdirSync(`/proc/${pid}/task`).flatMap((id) => {
      const stat = textOf(`${pid}/task/${id}/stat`);
      if (!thread.test(stat.slice(stat.indexOf("(")))) return [];
      return [Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16])];
    }),
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return ""; // gone
  }
}

const count = (all: readonly number[], nice: number) => all.filter((one) => one === nice).length;

/** Begins a program, and resolves when it has printed a word or called a tool. */
async function begin(executor: Executor, code: string, options: RunOptions) {
  const controller = new AbortController();
  const begun = Promise.withResolvers<void>();
  const ended = collect(executor, code, {
    signal: controller.signal,
    tools: [{ name: "wait" }],
    onCall: () => new Promise(() => {}),
    onEvent: () => begun.resolve(),
    ...options,
  });
  await Promise.race([begun.promise, ended]);
  return async () => {
    controller.abort();
    await ended;
  };
}

describe.skipIf(noRoom)("a program of quickjs that has computed for a while", () => {
  const language = "javascript";
  const threads = () => nices(/quickjs\/engine\/main\.[jt]s/, /^\(guests-\d+\)/);
  const loops = availableParallelism() + 1;

  it.each([
    ["spins", 'console.log("ready");\nwhile (true) {}'],
    [
      "is deep in one operation after the other",
      'console.log("ready");\nconst text = "a".repeat(4e6), part = "a".repeat(2e6) + "b";\nwhile (true) text.indexOf(part);',
    ],
  ])("stands back when it %s, and leaves its thread to nobody else", async (_how, code) => {
    await using executor = await startQuickjs();
    const waiter = await begin(executor, "await tools.wait({});", { language, group: "quiet" });
    const busy = await Promise.all(
      Array.from({ length: loops }, () => begin(executor, code, { language, group: "loud" })),
    );
    await vi.waitFor(() => expect(count(threads(), 19)).toBe(loops), soon);
    // The one that waits, at least.
    expect(count(threads(), ownNice)).toBeGreaterThan(0);
    expect(await jsonOf(executor, "2 + 2", { language, group: "quiet" })).toBe(4);
    await Promise.all([...busy, waiter].map((stop) => stop()));
    await vi.waitFor(() => expect(count(threads(), 19)).toBe(0), soon);
    expect(await jsonOf(executor, "2 + 2", { language, group: "loud" })).toBe(4);
  });

  it("keeps its place while there are cores for all", async () => {
    await using executor = await startQuickjs();
    const code = "const end = Date.now() + 300;\nwhile (Date.now() < end) {}\nreturn 1;";
    expect(await jsonOf(executor, code, { language })).toBe(1);
    expect(count(threads(), 19)).toBe(availableParallelism() > 1 ? 0 : 1);
  });
});

describe.skipIf(noPyodide ?? noRoom)("a program of pyodide that has computed for a while", () => {
  it("stands back with all its threads, and one that waits does not", async () => {
    await using executor = await startPyodide({ spare: 0 });
    const all = () => nices(/pyodide.*main\.m?[jt]s/);
    const waiter = await begin(executor, "print('ready')\ntools.wait()", {});
    const before = all().length;
    expect(count(all(), ownNice)).toBe(before);
    const stop = await begin(executor, "print('ready')\nwhile True: pass", {});
    await vi.waitFor(() => expect(count(all(), 19)).toBeGreaterThan(2), soon);
    expect(count(all(), ownNice)).toBe(before);
    await Promise.all([stop(), waiter()]);
  });
});
