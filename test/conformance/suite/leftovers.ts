import { describe, expect } from "vitest";
import { startTimer } from "../../../src/shared/abort.ts";
import { Stop } from "../../../src/shared/stop.ts";
import {
  cpuWithin,
  type Footprint,
  footprint,
  isWithin,
  settledFootprint,
} from "../../support/footprint.ts";
import { hasProc } from "../../support/processes.ts";
import { collect } from "../../support/programs.ts";
import type { Programs } from "../programs/programs.ts";
import type { Subject } from "./subject.ts";

const atOnce = 8;

/** Runs of every kind, in turn: by title, and the end that each must have. */
function mix(programs: Programs): readonly MixedRun[] {
  const { give, printLine, badSyntax, spin, flood, tools, raises, crash } = programs;
  const all: readonly (MixedRun | undefined)[] = [
    { end: "completed", code: give("1") },
    { end: "completed", code: printLine("1") },
    { end: "completed", code: give("2") },
    { end: "syntax", code: badSyntax.code },
    { end: "output_limit", code: flood },
    { end: "timeout", code: spin, stopMs: 15 },
    { end: "exception", code: raises.code },
    crash === undefined ? undefined : { end: "crashed", code: crash },
    tools && { end: "completed", code: tools.sequential(2) },
    tools && { end: "timeout", code: tools.call("echo", {}), stopMs: 15, isSilent: true },
  ];
  return all.filter((run) => run !== undefined);
}

interface MixedRun {
  readonly end: string;
  readonly code: string;
  /** Ended from outside so long after its start. */
  readonly stopMs?: number;
  /** Its tools never answer. */
  readonly isSilent?: boolean;
}

/** What is left of runs that have ended: nothing. */
export function describeLeftovers(subject: Subject): void {
  const { programs, traits, it } = subject;
  const { runs: { count, why } = { count: 1_000, why: "" }, addedMemoryBytes = 16 * 2 ** 20 } =
    traits;
  const settled = (before?: Footprint) =>
    settledFootprint({
      ...(before && { isGood: (now) => isWithin(now, before, addedMemoryBytes) }),
      timeoutMs: traits.settlesWithinMs,
    });
  const expectWithin = async (before: Footprint) => {
    const after = await settled(before);
    const isGood = isWithin(after, before, addedMemoryBytes);
    expect(isGood, `before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`).toBe(true);
  };
  const { language } = programs;
  const kinds = mix(programs);

  async function runOne(n: number): Promise<void> {
    const kind = kinds[n % kinds.length];
    if (kind === undefined) throw new Error("no runs to mix");
    const controller = new AbortController();
    using timers = new DisposableStack();
    const stop = () => controller.abort(new Stop("timeout", "time is up"));
    const { result } = await collect(subject.executor, kind.code, {
      language,
      group: `tenant ${n % 3}`,
      limits: { outputBytes: 20_000 },
      signal: controller.signal,
      onEvent: ({ type }) => {
        if (type === "started") timers.use(startTimer(kind.stopMs ?? 60_000, stop));
      },
      tools: [{ name: "echo" }],
      onCall: (_call, args) => (kind.isSilent ? new Promise(() => {}) : args.n),
    });
    const end = result.status === "completed" ? result.status : result.error.reason;
    expect([kind.code, end]).toEqual([kind.code, kind.end]);
  }

  async function runMany(total: number): Promise<void> {
    let next = 0;
    const worker = async () => {
      while (next < total) await runOne(next++);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }

  describe("leftovers", () => {
    const note = why === "" ? "" : ` (${why})`;
    it(
      undefined,
      `are none after ${count} runs${note}: processes, threads, descriptors, memory`,
      async () => {
        if (!hasProc) throw new Error("this machine has no /proc to look at");
        await runMany(Math.min(count, 4 * kinds.length)); // what is made on first use is there
        const before = await settled();
        await runMany(count);
        await expectWithin(before);
      },
      300_000,
    );

    it(undefined, "are none of an engine that is disposed in the middle of runs", async () => {
      const before = footprint();
      const other = await subject.create();
      const starts = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
      const runs = starts.map(({ resolve }, n) =>
        collect(other, programs.readyThenSpin, {
          language,
          group: `tenant ${n}`,
          onEvent: ({ type }) => {
            if (type === "output") resolve();
          },
        }),
      );
      await Promise.all(starts.map(({ promise }) => promise));
      await other[Symbol.asyncDispose]();
      for (const { result } of await Promise.all(runs)) expect(result.status).toBe("failed");
      await expectWithin(before);
    });

    it(undefined, "use no CPU time: nothing runs on after its end", async () => {
      const isSpin = ({ code }: MixedRun) => code === programs.spin;
      const spinning = kinds.findIndex(isSpin);
      await Promise.all([runOne(spinning), runOne(spinning), runOne(spinning)]);
      await settled();
      // What takes the place of killed guests is made meanwhile; a loop that goes on never rests.
      const { settlesWithinMs: timeout = 10_000 } = traits;
      await expect.poll(() => cpuWithin(500), { timeout, interval: 0 }).toBeLessThan(100);
    });
  });
}
