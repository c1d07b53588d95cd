import { describe, expect } from "vitest";
import { Stop } from "../../../src/shared/stop.ts";
import type { LeakKind } from "../programs/programs.ts";
import { given, jsonOf, type Subject } from "./subject.ts";

const leakKinds: readonly LeakKind[] = [
  "globals",
  "library",
  "prototypes",
  "files",
  "timers",
  "environment",
];

/** What runs know of each other: nothing. */
export function describeBetweenRuns(subject: Subject): void {
  const { programs, run, times, it } = subject;
  const leak = (kind: LeakKind) => given(programs.leaks[kind]);
  const expectClean = async (kind: LeakKind) => {
    const collected = await run(leak(kind).isClean);
    expect(jsonOf(collected)).toBe("true");
    expect(collected.stdout + collected.stderr).toBe("");
  };

  describe("between runs", () => {
    for (const kind of leakKinds) {
      it(kind, `carries nothing over: ${kind}`, async () => {
        for (let round = 0; round < times(5); round++) {
          await run(leak(kind).litter);
          await expectClean(kind);
        }
      });

      it(kind, `shares nothing with a run beside it: ${kind}`, async () => {
        await Promise.all([
          run(leak(kind).litter),
          expectClean(kind),
          run(leak(kind).litter),
          expectClean(kind),
        ]);
      });
    }

    it("globals", "carries nothing over from a program that was killed", async () => {
      const controller = new AbortController();
      await run(`${leak("globals").litter}\n${programs.readyThenSpin}`, {
        signal: controller.signal,
        onEvent: (event) => {
          if (event.type === "output") controller.abort(new Stop("cancelled", "seen"));
        },
      });
      await expectClean("globals");
    });

    it("random numbers", "draws the same for the same seed, and others for another", async () => {
      const code = programs.give(given(programs.random));
      const draw = async (seed: bigint) => jsonOf(await run(code, { seed }));
      expect(await draw(7n)).toBe(await draw(7n));
      expect(await draw(7n)).not.toBe(await draw(8n));
      expect(await draw(2n ** 64n - 1n)).not.toBe(await draw(2n ** 32n - 1n));
    });
  });

  describe("context and config", () => {
    it("context", "are what the caller gave, exactly", async () => {
      const context = { client_id: "acme", n: 2n ** 70n, deep: { list: [1, null, "é"] } };
      const collected = await run(programs.give(given(programs.context)), {
        context,
        config: { a: 5 },
      });
      expect(jsonOf(collected)).toBe(
        '[{"client_id":"acme","n":1180591620717411303424,"deep":{"list":[1,null,"é"]}},{"a":5}]',
      );
    });

    it("context", `are each run's own, of ${times(20)} at once`, async () => {
      const code = programs.give(given(programs.context));
      const seen = Array.from({ length: times(20) }, async (_, n) =>
        jsonOf(await run(code, { context: { n }, group: `tenant ${n % 4}` })),
      );
      expect(await Promise.all(seen)).toEqual(seen.map((_, n) => `[{"n":${n}},{}]`));
    });
  });
}
