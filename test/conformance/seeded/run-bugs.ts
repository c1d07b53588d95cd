import type { GuestEvent } from "../../../src/executors/executor.ts";
import { onAbort, sleep, startTimer } from "../../../src/shared/abort.ts";
import { stopped } from "../../../src/shared/stop.ts";
import { type SeededBug, spoil } from "./spoil.ts";

/** Bugs in how runs are kept: apart from each other, within their limits, to their end. */
export const runBugs: readonly SeededBug[] = [
  {
    name: "two runs in one guest, so that a global of the first is seen by the second",
    isInEvery: true,
    subject: "betweenRuns",
    caughtBy: "carries nothing over: globals",
    plant(executor) {
      let previous = "";
      return spoil(executor, {
        program(program) {
          const code = `${previous}\n${program.code}`;
          // What gives a value or goes on for ever would end the guest before the next program.
          previous = /\breturn\b|while/.test(program.code) ? "" : program.code;
          return { ...program, code };
        },
      });
    },
  },
  {
    name: "a call gets the answer of the call before it",
    isInEvery: true,
    subject: "tools",
    caughtBy: "are called 200 times in a row",
    plant(executor) {
      let last: string | undefined;
      return spoil(executor, {
        answer(answer) {
          if (!("resultJson" in answer)) return answer;
          const resultJson = last ?? answer.resultJson;
          last = answer.resultJson;
          return { ...answer, resultJson };
        },
      });
    },
  },
  {
    name: "runs beside each other get each other's answers",
    subject: "neighbours",
    caughtBy: "have each their own tools' answers, 20 at once",
    plant(executor) {
      let last = "";
      return spoil(executor, {
        answer(answer) {
          if (!("resultJson" in answer) || answer.call % 4 !== 3) return answer;
          const resultJson = last || answer.resultJson;
          last = answer.resultJson;
          return { ...answer, resultJson };
        },
      });
    },
  },
  {
    name: "a loop is killed late, now and then",
    isInEvery: true,
    subject: "ends",
    caughtBy: "a program at once when its signal aborts in a silent loop",
    plant(executor) {
      let runs = 0;
      return spoil(executor, {
        signal(signal) {
          runs += 1;
          if (runs !== 2) return signal;
          const late = new AbortController();
          onAbort(signal, (reason) => void startTimer(1_500, () => late.abort(reason)));
          return late.signal;
        },
      });
    },
  },
  {
    name: "a loop is said to have ended, and goes on",
    subject: "leftovers",
    caughtBy: "use no CPU time: nothing runs on after its end",
    plant(executor) {
      const closing = new AbortController();
      return spoil(executor, {
        signal: () => closing.signal,
        dispose: () => closing.abort(),
        async *events(events, _program, signal) {
          const iterator = events[Symbol.asyncIterator]();
          const aborted = new Promise<undefined>((resolve) => {
            onAbort(signal, () => resolve(undefined));
          });
          for (;;) {
            const step = await Promise.race([iterator.next(), aborted]);
            if (step?.done) return;
            if (step === undefined) {
              const usage = { cpuMs: 0, peakMemoryBytes: 0, outputBytes: 0 };
              return yield { type: "ended", result: stopped(signal.reason), usage };
            }
            yield step.value;
          }
        },
      });
    },
  },
  {
    name: "more output than the limit comes through",
    subject: "output",
    caughtBy: "ends a flood at its limit, with exactly the limit delivered",
    plant: (executor) =>
      spoil(executor, {
        program: (program) => ({
          ...program,
          limits: { ...program.limits, outputBytes: program.limits.outputBytes + 1_000 },
        }),
      }),
  },
  {
    name: "output is read ahead of the reader without bound",
    subject: "output",
    caughtBy: "makes the guest wait while nobody reads",
    plant: (executor) =>
      spoil(executor, {
        async *events(events) {
          const iterator = events[Symbol.asyncIterator]();
          const ahead: Promise<IteratorResult<GuestEvent>>[] = [];
          let bytes = 0;
          const readAhead = async () => {
            // Twice the bound of the test: without any, a flood would fill the memory of the test.
            while (bytes < 2 ** 22) {
              const next = iterator.next();
              ahead.push(next);
              const step = await next;
              if (step.done) return;
              if (step.value.type === "output") bytes += step.value.text.length;
            }
          };
          await readAhead();
          for (let at = 0; ; at++) {
            const step = await (ahead[at] ?? iterator.next());
            if (step.done) return;
            yield step.value;
          }
        },
      }),
  },
  {
    name: "runs wait for each other",
    subject: "neighbours",
    caughtBy: "run while a program of another group spins",
    plant(executor) {
      const open = new Set<Promise<void>>();
      return spoil(executor, {
        async *events(events) {
          const { promise, resolve } = Promise.withResolvers<void>();
          const before = [...open];
          open.add(promise);
          // Long enough to show, and not for ever.
          await Promise.race([Promise.all(before), sleep(1_200)]);
          try {
            yield* events;
          } finally {
            open.delete(promise);
            resolve();
          }
        },
      });
    },
  },
];
