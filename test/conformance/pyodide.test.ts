import { describe } from "vitest";
import { noPyodide, startPyodide } from "../support/pyodide.ts";
import { isCi } from "../support/toolchain.ts";
import { executorSuite } from "./executor.suite.ts";
import { python } from "./programs/python.ts";

const why = "each run starts a process, half a second of CPU time";

describe.skipIf(noPyodide)("pyodide", () => {
  executorSuite(() => startPyodide(), python, {
    lacks: {
      threads: "WebAssembly has none here; starting one is a RuntimeError",
      "native memory": "there is no ctypes: it needs JavaScript to call C functions",
      "time zones": "the npm package has no tzdata",
    },
    runs: { count: isCi ? 20 : 10, why },
    ...(isCi ? {} : { values: { share: 1 / 4, why: `${why}; all of them in CI` } }),
    repeats: { share: 0.2, why },
    endsWithinMs: 3_000,
    // What a guest that waits has more than one that is just starting: they are counted as processes.
    addedMemoryBytes: 128 * 2 ** 20,
  });
});
