import { describe } from "vitest";
import { noPyodide, startPyodide } from "../support/pyodide.ts";
import { isCi } from "../support/toolchain.ts";
import { pythonToolErrorsSuite } from "./python-tool-errors.suite.ts";
import { pythonToolsSuite } from "./python-tools.suite.ts";

const traits = { lacks: { threads: "WebAssembly has none here; starting one is a RuntimeError" } };

describe.skipIf(noPyodide)("tools in pyodide", () => {
  pythonToolsSuite(() => startPyodide(), traits);
  if (isCi) pythonToolErrorsSuite(() => startPyodide(), traits);
  else console.info("pyodide, only in CI: errors of tools, whose code it shares with cpython");
});
