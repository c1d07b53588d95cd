import { describe, expect } from "vitest";
import { Stop } from "../../../src/shared/stop.ts";
import { failureOf, given, jsonOf, type Subject } from "./subject.ts";

const echo = { tools: [{ name: "echo" }] };

/** Runs beside each other: nobody waits for a stranger, nobody gets what is another's. */
export function describeNeighbours(subject: Subject): void {
  const { programs, traits, run, times, it } = subject;
  const { endsWithinMs = 1_000 } = traits;

  /** Starts a program that spins; it does when this resolves. */
  async function startSpinner(group: string) {
    const controller = new AbortController();
    const ready = Promise.withResolvers<void>();
    const ended = run(programs.readyThenSpin, {
      group,
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === "output") ready.resolve();
      },
    });
    await ready.promise;
    const stop = async () => {
      controller.abort(new Stop("cancelled", "enough"));
      return failureOf(await ended).reason;
    };
    return { stop };
  }

  describe("neighbours", () => {
    it(undefined, "run while a program of another group spins", async () => {
      const spinner = await startSpinner("a");
      const startedAt = performance.now();
      for (let n = 0; n < times(5); n++) {
        expect(jsonOf(await run(programs.give(String(n)), { group: "b" }))).toBe(String(n));
      }
      expect(performance.now() - startedAt).toBeLessThan(5 * endsWithinMs);
      expect(await spinner.stop()).toBe("cancelled");
    });

    it("tools", "get their tools' answers while a program of another group spins", async () => {
      const spinner = await startSpinner("a");
      const startedAt = performance.now();
      const collected = await run(given(programs.tools).sequential(10), {
        ...echo,
        group: "b",
        onCall: (_call, { n }) => n,
      });
      expect(collected.stdout).toBe("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
      expect(performance.now() - startedAt).toBeLessThan(5 * endsWithinMs);
      expect(await spinner.stop()).toBe("cancelled");
    });

    it("tools", "that wait are not ended by the end of one beside them", async () => {
      const open = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<number>();
      const waiting = run(given(programs.tools).call("echo", {}), {
        ...echo,
        group: "b",
        onCall: () => {
          open.resolve();
          return answer.promise;
        },
      });
      await open.promise;
      const spinner = await startSpinner("a");
      await spinner.stop();
      answer.resolve(5);
      expect(jsonOf(await waiting)).toBe("5");
    });

    it(undefined, `have each their own output and result, ${times(20)} at once`, async () => {
      const runs = Array.from({ length: times(20) }, async (_, n) => {
        const code = `${programs.printLine(String(n))}\n${programs.give(String(n))}`;
        const collected = await run(code, { group: `tenant ${n % 4}` });
        return [collected.stdout, jsonOf(collected)];
      });
      expect(await Promise.all(runs)).toEqual(runs.map((_, n) => [`${n}\n`, String(n)]));
    });

    it("tools", `have each their own tools' answers, ${times(20)} at once`, async () => {
      const runs = Array.from({ length: times(20) }, async (_, n) => {
        const collected = await run(given(programs.tools).sequential(5), {
          ...echo,
          group: `tenant ${n % 4}`,
          onCall: (_call, args) => n * 100 + Number(args.n),
        });
        return collected.stdout;
      });
      const own = (n: number) => [0, 1, 2, 3, 4].map((step) => `${n * 100 + step}\n`).join("");
      expect(await Promise.all(runs)).toEqual(runs.map((_, n) => own(n)));
    });
  });
}
