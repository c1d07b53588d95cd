import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { startDeadline } from "../../src/shared/abort.ts";
import type { FailureReason, Limits } from "../../src/shared/model.ts";
import { Stop } from "../../src/shared/stop.ts";
import { collect, toProgram } from "../support/programs.ts";

/** A program and the result that every engine of its language must give. */
export interface ValueCase {
  readonly title: string;
  readonly code: string;
  /** JSON text of the value; undefined where it is not a JSON value. */
  readonly json: string | undefined;
  readonly text?: string;
}

/** A program that fails, and how. */
export interface FailureCase {
  readonly title: string;
  readonly code: string;
  readonly reason: FailureReason;
  readonly type?: string;
  readonly line?: number;
  readonly limits?: Partial<Limits>;
}

/** What a language gives the suite; the expectations are shared. */
export interface Programs {
  readonly language: string;
  readonly values: readonly ValueCase[];
  readonly failures: readonly FailureCase[];
  /** Runs for ever without a word. */
  readonly spin: string;
  /** Sleeps for ever without using CPU time. */
  readonly sleep: string;
  /** Prints "ready\n" and then runs for ever. */
  readonly readyThenSpin: string;
  /** Prints without end. */
  readonly flood: string;
  /** Writes "a", "b" to stdout, "c" to stderr, "d" to stdout, without line ends. */
  readonly interleaved: string;
  /** Writes "é" + "日本" + "🙂" 20,000 times. */
  readonly unicode: string;
  /** Leaves something behind in every place that a later run of the same engine could see. */
  readonly litter: string;
  /** Is true when nothing of `litter` can be seen. */
  readonly isClean: string;
  /** Gives a random number. */
  readonly random: string;
}

/** The behaviour that every engine has. */
export function executorSuite(create: () => Promise<Executor>, programs: Programs): void {
  let executor: Executor;
  beforeAll(async () => {
    executor = await create();
  });
  afterAll(() => executor[Symbol.asyncDispose]());
  const { language } = programs;
  const run = (code: string, options: Parameters<typeof collect>[2] = {}) =>
    collect(executor, code, { language, ...options });

  describe("values", () => {
    it.each(programs.values)("$title", async ({ code, json, text }) => {
      const { result } = await run(code);
      if (result.status === "failed") expect.fail(`${result.error.type}: ${result.error.message}`);
      expect(result.value.json).toBe(json);
      if (text !== undefined) expect(result.value.text).toBe(text);
    });

    it("takes a program of one MiB", async () => {
      const line = "'0123456789012345678901234567890123456789'\n";
      const code = line.repeat(Math.floor((1024 * 1024) / line.length));
      expect((await run(code)).result).toMatchObject({ status: "completed" });
    });
  });

  describe("failures", () => {
    it.each(programs.failures)("$title", async ({ code, reason, type, line, limits = {} }) => {
      const { result } = await run(code, { limits });
      expect(result).toMatchObject({
        status: "failed",
        error: {
          reason,
          ...(type === undefined ? {} : { type }),
          ...(line === undefined ? {} : { line }),
        },
      });
    });
  });

  describe("output", () => {
    it("keeps the guest's order of stdout and stderr", async () => {
      const { events } = await run(programs.interleaved);
      const joined: string[] = [];
      let last = "";
      for (const event of events) {
        if (event.type !== "output") continue;
        if (event.channel === last) joined.push(`${joined.pop()}${event.text}`);
        else joined.push(`${event.channel}:${event.text}`);
        last = event.channel;
      }
      expect(joined).toEqual(["stdout:ab", "stderr:c", "stdout:d"]);
    });

    it("never splits a character", async () => {
      const { events, stdout } = await run(programs.unicode);
      expect(stdout).toBe("é日本🙂".repeat(20_000));
      for (const event of events)
        if (event.type === "output") expect(event.text).not.toContain("\ufffd");
    });

    it("ends a program that writes more than its limit, with exactly the limit delivered", async () => {
      const { result, stdout, usage } = await run(programs.flood, {
        limits: { outputBytes: 100_000 },
      });
      expect(result).toMatchObject({ status: "failed", error: { reason: "output_limit" } });
      expect(Buffer.byteLength(stdout)).toBe(100_000);
      expect(usage.outputBytes).toBe(100_000);
    });

    it("makes the guest wait while nobody reads", async () => {
      using deadline = startDeadline({ ms: 500, reason: new Stop("timeout", "time is up") });
      const limits = { outputBytes: 2 ** 40 };
      const program = toProgram(programs.flood, { language, limits });
      const iterator = executor.run(program, deadline.signal)[Symbol.asyncIterator]();
      expect((await iterator.next()).value).toEqual({ type: "started" });
      expect((await iterator.next()).value).toMatchObject({ type: "output" });
      await new Promise((resolve) => deadline.signal.addEventListener("abort", resolve));
      let bytes = 0;
      let last: unknown;
      for (let step = await iterator.next(); !step.done; step = await iterator.next()) {
        last = step.value;
        if (step.value.type === "output") bytes += step.value.text.length;
      }
      expect(last).toMatchObject({ type: "ended", result: { error: { reason: "timeout" } } });
      // What the buffers on the way hold; unhindered, the guest writes some 100 MB in this time.
      expect(bytes).toBeLessThan(2 * 1024 * 1024);
    });
  });

  describe("ends", () => {
    it.each(["spin", "sleep", "readyThenSpin", "flood"] as const)(
      "kills a program at once when its signal aborts (%s)",
      async (name) => {
        using deadline = startDeadline({ ms: 100, reason: new Stop("timeout", "time is up") });
        const limits = { outputBytes: 2 ** 40 };
        const { result } = await run(programs[name], { signal: deadline.signal, limits });
        expect(result).toMatchObject({
          status: "failed",
          error: { reason: "timeout", message: "time is up" },
        });
      },
    );

    it("does not start a program whose signal has aborted", async () => {
      const signal = AbortSignal.abort(new Stop("cancelled", "too late"));
      const outcome = await run("1", { signal }).then(
        ({ result }) => result,
        (error: unknown) => error,
      );
      expect(outcome).toSatisfy(
        (value) =>
          value instanceof Stop ||
          (value as { error?: { reason: string } }).error?.reason === "cancelled",
      );
    });

    it("ends a program at its CPU limit, whatever its wall clock says", async () => {
      const { result, usage } = await run(programs.spin, { limits: { activeMs: 300 } });
      expect(result).toMatchObject({ status: "failed", error: { reason: "timeout" } });
      expect(usage.cpuMs).toBeGreaterThanOrEqual(290);
      expect(usage.cpuMs).toBeLessThan(600);
    });

    it("does not count a sleeping program against its CPU limit", async () => {
      using deadline = startDeadline({ ms: 500, reason: new Stop("cancelled", "enough") });
      const pending = run(programs.sleep, { limits: { activeMs: 100 }, signal: deadline.signal });
      expect((await pending).result).toMatchObject({ error: { reason: "cancelled" } });
    });

    it("delivers what was written before the end", async () => {
      const controller = new AbortController();
      const { stdout } = await run(programs.readyThenSpin, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === "output") controller.abort(new Stop("cancelled", "seen"));
        },
      });
      expect(stdout).toBe("ready\n");
    });

    it("leaves nothing after an early return", async () => {
      const program = toProgram(programs.readyThenSpin, { language });
      for await (const event of executor.run(program, new AbortController().signal)) {
        if (event.type === "started") continue;
        expect(event).toMatchObject({ type: "output", text: "ready\n" });
        break;
      }
      expect((await run("1")).result.status).toBe("completed");
    });
  });

  describe("between runs", () => {
    it("carries nothing over", async () => {
      for (let round = 0; round < 10; round++) {
        await run(programs.litter);
        const { result } = await run(programs.isClean);
        expect(result).toMatchObject({ status: "completed", value: { json: "true" } });
      }
    });

    it("gives the same random numbers for the same seed, and others for another", async () => {
      const draw = async (seed: bigint) => {
        const { result } = await run(programs.random, { seed });
        return result.status === "completed" ? result.value.json : result;
      };
      expect(await draw(7n)).toBe(await draw(7n));
      expect(await draw(7n)).not.toBe(await draw(8n));
    });
  });

  describe("context and config", () => {
    it("shows the program exactly what the caller gave", async () => {
      const context = { client_id: "acme", n: 2n ** 70n, deep: { list: [1, null, "é"] } };
      const { result } = await run("[context, config]", { context, config: { a: 5 } });
      expect(result).toMatchObject({
        value: {
          json: '[{"client_id":"acme","n":1180591620717411303424,"deep":{"list":[1,null,"é"]}},{"a":5}]',
        },
      });
    });
  });

  it("is disposed twice without harm, and refuses to run afterwards", async () => {
    const other = await create();
    await other[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    await expect(collect(other, "1", { language })).rejects.toMatchObject({ kind: "unavailable" });
  });

  it("ends what runs when it is disposed", async () => {
    const other = await create();
    const ready = Promise.withResolvers<void>();
    const pending = collect(other, programs.readyThenSpin, {
      language,
      onEvent: () => ready.resolve(),
    });
    await ready.promise;
    await other[Symbol.asyncDispose]();
    expect((await pending).result).toMatchObject({ status: "failed" });
  });
}
