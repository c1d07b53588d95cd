import { describe, expect } from "vitest";
import type { GuestEvent } from "../../../src/executors/executor.ts";
import { sleep } from "../../../src/shared/abort.ts";
import { Stop } from "../../../src/shared/stop.ts";
import { toProgram } from "../../support/programs.ts";
import { failureOf, given, jsonOf, type Subject } from "./subject.ts";

/** What programs print: its order, its characters, its limit. */
export function describeOutput(subject: Subject): void {
  const { programs, run, it } = subject;
  const { language, printLine } = programs;

  describe("output", () => {
    it("stderr", "keeps the guest's order of stdout and stderr", async () => {
      const { events } = await run(given(programs.interleaved));
      expect(joined(events)).toEqual(["stdout:a\nb\n", "stderr:c\n", "stdout:d\n"]);
    });

    it(undefined, "keeps the order of many lines", async () => {
      const numbers = Array.from({ length: 2_000 }, (_, n) => n);
      const { stdout } = await run(numbers.map((n) => `${printLine(String(n))}\n`).join(""));
      expect(stdout.trimEnd().split("\n").map(Number)).toEqual(numbers);
    });

    it("text", "never splits a character, in lines without number", async () => {
      const { events, stdout } = await run(given(programs.unicode));
      expect(stdout).toBe("é日本🙂\n".repeat(20_000));
      for (const event of events)
        if (event.type === "output") expect(event.text.isWellFormed()).toBe(true);
    });

    it("text", "takes one line of 200 KB whole", async () => {
      const text = "xé日本🙂".repeat(15_000);
      const { events, stdout } = await run(printLine(text));
      expect(stdout === `${text}\n`).toBe(true);
      for (const event of events)
        if (event.type === "output") expect(event.text.isWellFormed()).toBe(true);
    });

    it("text", "takes what looks like its own frames as text", async () => {
      const text = '{"status":"completed","text":"forged"}\n\0\x04\x01\0\0\0';
      const collected = await run(`${printLine(text)}\n${programs.give("1")}`);
      expect(collected.stdout).toBe(`${text}\n`);
      expect(jsonOf(collected)).toBe("1");
    });

    it(undefined, "lets a program write exactly as much as its limit", async () => {
      const collected = await run(printLine("7".repeat(15)), { limits: { outputBytes: 16 } });
      expect(collected.result.status).toBe("completed");
      expect(collected.stdout).toBe(`${"7".repeat(15)}\n`);
    });

    it(
      undefined,
      "ends a program that writes one byte more, with the limit delivered",
      async () => {
        const collected = await run(printLine("7".repeat(15)), { limits: { outputBytes: 15 } });
        expect(failureOf(collected)).toMatchObject({ reason: "output_limit" });
        expect(collected.stdout).toBe("7".repeat(15));
      },
    );

    it("text", "counts bytes, not characters, and keeps what is whole at the limit", async () => {
      const collected = await run(printLine("é".repeat(100)), { limits: { outputBytes: 101 } });
      expect(failureOf(collected)).toMatchObject({ reason: "output_limit" });
      expect(collected.stdout.replace("\ufffd", "")).toBe("é".repeat(50));
      expect(collected.usage.outputBytes).toBe(101);
    });

    it("stderr", "counts stdout and stderr together", async () => {
      const limits = { outputBytes: 5 };
      const collected = await run(given(programs.interleaved), { limits });
      expect(failureOf(collected)).toMatchObject({ reason: "output_limit" });
      expect(joined(collected.events)).toEqual(["stdout:a\nb\n", "stderr:c"]);
    });

    it(undefined, "ends a flood at its limit, with exactly the limit delivered", async () => {
      const limits = { outputBytes: 100_000 };
      const collected = await run(programs.flood, { limits });
      expect(failureOf(collected)).toMatchObject({ reason: "output_limit" });
      expect(Buffer.byteLength(collected.stdout)).toBe(100_000);
      expect(collected.usage.outputBytes).toBe(100_000);
    });

    it(undefined, "makes the guest wait while nobody reads", async () => {
      const controller = new AbortController();
      const program = toProgram(programs.flood, { language, limits: { outputBytes: 2 ** 40 } });
      const iterator = subject.executor.run(program, controller.signal)[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toEqual({ type: "started" });
      expect((await iterator.next()).value).toMatchObject({ type: "output" });
      await sleep(500);
      controller.abort(new Stop("timeout", "time is up"));
      let bytes = 0;
      let last: unknown;
      for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
        last = step.value;
        if (step.value.type === "output") bytes += step.value.text.length;
      }
      expect(last).toMatchObject({ type: "ended", result: { error: { reason: "timeout" } } });
      // What the buffers on the way hold; unhindered, a guest writes many times as much in this time.
      expect(bytes).toBeLessThan(2 * 1024 * 1024);
    });

    it(undefined, "goes on when the reader does", async () => {
      const lines = 2_000;
      const code = `${printLine("7".repeat(400))}\n`.repeat(lines);
      const program = toProgram(code, { language });
      let bytes = 0;
      let steps = 0;
      for await (const event of subject.executor.run(program, new AbortController().signal)) {
        // A slow reader: a turn of the event loop for each of the first events.
        if (++steps < 50) await new Promise((resolve) => setImmediate(resolve));
        if (event.type === "output") bytes += event.text.length;
      }
      expect(bytes).toBe(lines * 401);
    });
  });
}

/** Output by channel, neighbours of one channel joined. */
function joined(events: readonly GuestEvent[]): readonly string[] {
  const parts: string[] = [];
  let last = "";
  for (const event of events) {
    if (event.type !== "output") continue;
    if (event.channel === last) parts.push(`${parts.pop()}${event.text}`);
    else parts.push(`${event.channel}:${event.text}`);
    last = event.channel;
  }
  return parts;
}
