import { describe, expect } from "vitest";
import { onAbort, sleep, startTimer } from "../../../src/shared/abort.ts";
import type { Limits } from "../../../src/shared/model.ts";
import { Stop } from "../../../src/shared/stop.ts";
import { toProgram } from "../../support/programs.ts";
import { type Stage, stages } from "./stages.ts";
import { failureOf, given, jsonOf, type Subject } from "./subject.ts";

const reasons = ["timeout", "output_limit", "tool_budget", "cancelled", "abandoned"] as const;

/** How runs end when they are made to: at every stage, within a bound, with the reason that was given. */
export function describeEnds(subject: Subject): void {
  const { programs, traits, run, times, it } = subject;
  const { language } = programs;
  const { endsWithinMs = 1_000 } = traits;

  /** Ends a run at a stage; gives what came, and the time from the abort to the end. */
  async function endAt(stage: Pick<Stage, "isReached" | "afterMs" | "options">, code: string) {
    const controller = new AbortController();
    let abortedAt = Number.NaN;
    using _ = onAbort(controller.signal, () => {
      abortedAt = performance.now();
    });
    const stop = () => controller.abort(new Stop("cancelled", "enough"));
    const collected = await run(code, {
      limits: { outputBytes: 2 ** 40, toolCalls: 1_000_000 },
      ...stage.options,
      signal: controller.signal,
      onEvent: (event) => {
        if (controller.signal.aborted || !stage.isReached(event)) return;
        if (stage.afterMs === undefined) stop();
        else void sleep(stage.afterMs).then(stop);
      },
    });
    return { collected, tookMs: performance.now() - abortedAt };
  }

  /** Runs a program under a deadline that begins with its start; gives the time from there to the end. */
  async function runFor(ms: number, code: string, limits: Partial<Limits> = {}) {
    const controller = new AbortController();
    using timers = new DisposableStack();
    let startedAt = Number.NaN;
    const collected = await run(code, {
      signal: controller.signal,
      limits: { outputBytes: 2 ** 40, ...limits },
      tools: [{ name: "echo" }],
      onCall: () => new Promise(() => {}),
      onEvent: ({ type }) => {
        if (type !== "started") return;
        startedAt = performance.now();
        const stop = () => controller.abort(new Stop("timeout", "time is up"));
        timers.use(startTimer(ms, stop));
      },
    });
    return { collected, tookMs: performance.now() - startedAt };
  }

  describe("ends", () => {
    for (const stage of stages) {
      it(stage.needs, `a program at once when its signal aborts ${stage.title}`, async () => {
        const { collected, tookMs } = await endAt(stage, stage.code(programs));
        expect(failureOf(collected)).toMatchObject({ reason: "cancelled", message: "enough" });
        expect(tookMs).toBeLessThan(endsWithinMs);
      });
    }

    for (const { title, code } of programs.stuck) {
      it(undefined, `a program at once that is stuck in ${title}`, async () => {
        const stage = { isReached: () => true, afterMs: 100 };
        const { collected, tookMs } = await endAt(stage, code);
        expect(failureOf(collected)).toMatchObject({ reason: "cancelled" });
        expect(tookMs).toBeLessThan(endsWithinMs);
        expect(jsonOf(await run(programs.give("1")))).toBe("1");
      });
    }

    for (const reason of reasons) {
      it(undefined, `a program for the reason that its signal gives: ${reason}`, async () => {
        const controller = new AbortController();
        const collected = await run(programs.readyThenSpin, {
          signal: controller.signal,
          onEvent: ({ type }) => {
            if (type === "output") controller.abort(new Stop(reason, "the host says so"));
          },
        });
        expect(collected.result).toEqual({
          status: "failed",
          error: { reason, type: "", message: "the host says so", traceback: "", line: 0 },
        });
        expect(collected.stdout).toBe("ready\n");
      });
    }

    for (const [place, needs, code] of [
      ["in a busy loop", undefined, () => programs.spin],
      ["in output", undefined, () => programs.flood],
      ["in the wait for a tool", "tools", () => given(programs.tools).onLine2],
    ] as const) {
      it(needs, `at its deadline, and not before, ${place}`, async () => {
        const { collected, tookMs } = await runFor(200, code());
        expect(failureOf(collected)).toMatchObject({ reason: "timeout", message: "time is up" });
        expect(tookMs).toBeGreaterThanOrEqual(195);
        expect(tookMs).toBeLessThan(200 + endsWithinMs);
      });
    }

    it(undefined, "as cancelled where the signal's reason says nothing", async () => {
      const controller = new AbortController();
      const onEvent = () => controller.abort();
      const collected = await run(programs.spin, { signal: controller.signal, onEvent });
      expect(failureOf(collected)).toMatchObject({ reason: "cancelled" });
    });

    it(undefined, "without a start where the signal has aborted before", async () => {
      const signal = AbortSignal.abort(new Stop("cancelled", "too late"));
      const program = toProgram(programs.readyThenSpin, { language });
      const events: string[] = [];
      const outcome = await (async () => {
        for await (const event of subject.executor.run(program, signal)) {
          events.push(event.type);
          if (event.type === "ended") return event.result;
        }
        return undefined;
      })().catch((error: unknown) => error);
      expect(events).not.toContain("output");
      expect(outcome).toSatisfy(
        (value) =>
          value instanceof Stop ||
          (value as { error?: { reason: string } }).error?.reason === "cancelled",
      );
    });

    it(undefined, "once only: an abort after the end changes nothing", async () => {
      const controller = new AbortController();
      const program = toProgram(programs.give("1"), { language });
      const iterator = subject.executor.run(program, controller.signal)[Symbol.asyncIterator]();
      let step = await iterator.next();
      while (!step.done && step.value.type !== "ended") step = await iterator.next();
      expect(step.value).toMatchObject({ result: { status: "completed" } });
      controller.abort(new Stop("cancelled", "too late"));
      expect(await iterator.next()).toMatchObject({ done: true });
      expect(await iterator.next()).toMatchObject({ done: true });
    });

    it(undefined, "one way or the other, never both, when abort and result meet", async () => {
      for (let round = 0; round < times(20); round++) {
        const controller = new AbortController();
        const code = `${programs.printLine("1")}\n${programs.give("1")}`;
        const { result } = await run(code, {
          signal: controller.signal,
          onEvent: ({ type }) => {
            if (type === "output") controller.abort(new Stop("cancelled", "enough"));
          },
        });
        if (result.status === "completed") expect(result.value.json).toBe("1");
        else expect(result.error.reason).toBe("cancelled");
      }
    });

    it("CPU limit", "at its CPU limit, whatever its wall clock says", async () => {
      const collected = await run(programs.spin, { limits: { activeMs: 300 } });
      expect(failureOf(collected)).toMatchObject({ reason: "timeout" });
      expect(collected.usage.cpuMs).toBeGreaterThanOrEqual(290);
      expect(collected.usage.cpuMs).toBeLessThan(600);
    });

    it(["CPU limit", "sleep"], "not at its CPU limit while it sleeps", async () => {
      const { collected } = await runFor(700, given(programs.sleep), { activeMs: 350 });
      expect(failureOf(collected)).toMatchObject({ message: "time is up" });
      expect(collected.usage.cpuMs).toBeLessThan(350);
    });

    it(undefined, "when its reader leaves, and leaves nothing", async () => {
      const program = toProgram(programs.readyThenSpin, { language });
      for await (const event of subject.executor.run(program, new AbortController().signal)) {
        if (event.type === "started") continue;
        expect(event).toMatchObject({ type: "output", text: "ready\n" });
        break;
      }
      expect(jsonOf(await run(programs.give("1")))).toBe("1");
    });
  });
}
