import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** The same programs in one language. */
export interface Dialect {
  readonly language: string;
  /** Gives 4. */
  readonly sum: string;
  /** Calls the tool `echo` one time after the other; gives the milliseconds of each. */
  readonly calls: string;
  /** Calls the tool `wait` once. */
  readonly wait: string;
  /** Programs that only compute, by name; each gives the milliseconds that it took by its own clock. */
  readonly programs: Readonly<Record<string, string>>;
  /** Runs such a program in the machine's own interpreter. */
  readonly native: (code: string) => Promise<number>;
}

const pythonPrograms = {
  "recursion: fib(24)":
    "def work():\n    f = lambda n: n if n < 2 else f(n - 1) + f(n - 2)\n    return f(24)",
  "loop: a sum to 2,000,000":
    "def work():\n    total = 0\n    for n in range(2_000_000):\n        total += n & 7\n    return total",
  "text: 50,000 words counted":
    "def work():\n    counts = {}\n    for n in range(50_000):\n        word = 'word' + str(n % 997)\n        counts[word] = counts.get(word, 0) + 1\n    return sorted(counts.items())",
};

const scriptPrograms = {
  "recursion: fib(24)":
    "const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2));\nconst work = () => fib(24);",
  "loop: a sum to 2,000,000":
    "const work = () => {\n  let total = 0;\n  for (let n = 0; n < 2_000_000; n += 1) total += n & 7;\n  return total;\n};",
  "text: 50,000 words counted":
    "const work = () => {\n  const counts = {};\n  for (let n = 0; n < 50_000; n += 1) {\n    const word = 'word' + (n % 997);\n    counts[word] = (counts[word] ?? 0) + 1;\n  }\n  return Object.entries(counts).sort();\n};",
};

function withClock(
  programs: Readonly<Record<string, string>>,
  timed: (work: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(programs).map(([name, work]) => [name, timed(work)]));
}

const python: Dialect = {
  language: "python",
  sum: "result = 2 + 2",
  calls: `import time
samples = []
for index in range(60):
    startedAt = time.monotonic_ns()
    tools.echo(value="0123456789")
    samples.append((time.monotonic_ns() - startedAt) / 1e6)
samples[10:]`,
  wait: "tools.wait()",
  programs: withClock(
    pythonPrograms,
    (work) =>
      `${work}\nimport time\nstarted_at = time.perf_counter()\nwork()\nresult = (time.perf_counter() - started_at) * 1000`,
  ),
  native: (code) => printedNumber("python3", ["-c", `${code}\nprint(result)`]),
};

// A millisecond is the guest's finest clock: a call's time is that of many.
const script = {
  sum: "return 2 + 2",
  calls: `const samples = [];
for (let index = 0; index < 25; index += 1) {
  const startedAt = Date.now();
  for (let call = 0; call < 20; call += 1) await tools.echo({ value: "0123456789" });
  samples.push((Date.now() - startedAt) / 20);
}
return samples.slice(5);`,
  wait: "await tools.wait({})",
  programs: withClock(
    scriptPrograms,
    (work) => `${work}\nvar startedAt = Date.now();\nwork();\nvar result = Date.now() - startedAt;`,
  ),
  native: (code: string) =>
    printedNumber(process.execPath, ["-e", `${code}\nconsole.log(Math.max(result, 0.5));`]),
};

/** The languages that are measured. */
export const dialects: Readonly<Record<"python" | "javascript" | "typescript", Dialect>> = {
  python,
  javascript: { ...script, language: "javascript" },
  typescript: { ...script, language: "typescript" },
};

async function printedNumber(command: string, args: readonly string[]): Promise<number> {
  const { stdout } = await promisify(execFile)(command, args);
  return Number(stdout);
}
