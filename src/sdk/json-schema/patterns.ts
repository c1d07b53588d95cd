import { Worker } from "node:worker_threads";
import { startTimer } from "../../shared/abort.ts";

/** A text that is to be matched by a regular expression. */
export interface PatternTest {
  readonly source: string;
  readonly flags: string;
  readonly text: string;
}

// A pattern that has not matched by then backtracks: it could go on for years.
const maxMs = 100;

// A pattern may be one person's and the text another's: neither may hold the loop of whoever checks.
const program = `
const { parentPort } = require("node:worker_threads");
parentPort.on("message", (tests) => {
  parentPort.postMessage(tests.map(({ source, flags, text }) => new RegExp(source, flags).test(text)));
});`;

let worker: Promise<Worker> | undefined;
let line: Promise<unknown> = Promise.resolve();

/**
 * Whether texts match their patterns, in the order of the tests, found out in a thread of its own;
 * undefined where that takes more than 100 ms. Those who ask at the same time wait for each other.
 */
export function matchPatterns(
  tests: readonly PatternTest[],
): Promise<readonly boolean[] | undefined> {
  const turn = line.then(() => match(tests));
  line = turn.catch(() => undefined);
  return turn;
}

async function match(tests: readonly PatternTest[]): Promise<readonly boolean[] | undefined> {
  worker ??= startWorker();
  const matcher = await worker;
  const { promise, resolve } = Promise.withResolvers<readonly boolean[] | undefined>();
  // Whoever waits keeps the process: a thread without work does not.
  matcher.ref();
  matcher.once("message", resolve);
  matcher.once("exit", () => resolve(undefined));
  // An answer that is there already, behind a busy loop, comes before the time is up.
  using _ = startTimer(maxMs, () => setImmediate(() => setImmediate(() => resolve(undefined))));
  matcher.postMessage(tests);
  const answer = await promise;
  matcher.removeAllListeners("message").removeAllListeners("exit");
  if (answer === undefined) {
    worker = undefined;
    void matcher.terminate();
  }
  matcher.unref();
  return answer;
}

function startWorker(): Promise<Worker> {
  const started = new Worker(program, { eval: true, execArgv: [], env: {} });
  return new Promise((resolve, reject) => {
    started.once("online", () => resolve(started));
    started.once("error", (error) => {
      worker = undefined;
      reject(error);
    });
  });
}
