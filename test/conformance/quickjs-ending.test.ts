import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { collect, testLimits } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

describe("the end of a program in quickjs", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const tools = [{ name: "fast" }, { name: "slow" }];
  /** Answers one tool at once, and the other never. */
  const onCall = ({ tool }: { tool: string }) =>
    tool === "fast" ? "answer" : new Promise<never>(() => {});
  const run = (code: string, wallMs = testLimits.wallMs) =>
    collect(executor, code, { tools, onCall, limits: { wallMs } });

  it("waits for calls that nobody awaits, and hears their answers", async () => {
    const { result, stdout } = await run(
      "const p = tools.fast().then(console.log);\n[1].forEach(async () => console.log(await tools.fast()));",
    );
    expect(stdout).toBe("answer\nanswer\n");
    expect(result).toMatchObject({ status: "completed", value: { json: "null", notes: [] } });
  });

  it.each([
    ["a timer", "new Promise((resolve) => setTimeout(resolve, 3_600_000))", "1 timer"],
    ["a call", "tools.slow()", "a call of slow"],
    [
      "timers and calls",
      "tools.slow(), tools.slow(), (setInterval(() => {}, 10), setTimeout(() => {}, 60_000), new Promise(() => {}))",
      "2 timers, a call of slow, slow",
    ],
  ])(
    "gives its value before its wall limit, whatever race %s has lost",
    async (_title, rest, dropped) => {
      const { result } = await run(`await Promise.race([tools.fast(), ${rest}])`, 600);
      const note = `the wall limit was near, and what nobody had awaited was dropped: ${dropped}`;
      expect(result).toMatchObject({
        status: "completed",
        value: { json: '"answer"', notes: [note] },
      });
    },
  );

  it("has no value before its wall limit where it still awaits something", async () => {
    const controller = new AbortController();
    const onEvent = (event: { type: string }) => {
      if (event.type === "tool_call") controller.abort();
    };
    const code = "await tools.slow();\n5";
    const { result } = await collect(executor, code, {
      ...{ tools, onCall, onEvent, signal: controller.signal },
    });
    expect(result).toMatchObject({ status: "failed", error: { reason: "cancelled" } });
  });

  it("reads `result` as it is then", async () => {
    const code = "var result = 1;\nsetInterval(() => { result += 1; }, 5);";
    const { result } = await run(code, 600);
    const value = result.status === "completed" ? Number(result.value.json) : 0;
    expect(value).toBeGreaterThan(1);
  });
});
