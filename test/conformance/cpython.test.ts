import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, jsonOf } from "../support/programs.ts";
import { noLock, noPython, startCpython } from "../support/toolchain.ts";
import { executorSuite } from "./executor.suite.ts";
import { python } from "./programs/python.ts";

describe.skipIf(noPython)("cpython", () => {
  executorSuite(() => startCpython(), python, {
    lacks: noLock === undefined ? {} : { files: `programs are not locked here: ${noLock}` },
  });

  it("shows a traceback of the guest's own lines only", async () => {
    await using executor = await startCpython();
    const code = "import json\ndef f():\n  return json.loads('{')\nf()";
    const { result } = await collect(executor, code);
    if (result.status === "completed") expect.fail("it must fail");
    expect(result.error.traceback).toContain('File "<program>", line 4, in <module>');
    expect(result.error.traceback).toContain("return json.loads('{')");
    expect(result.error.traceback.match(/File "/g)).toHaveLength(2);
    expect(result.error.traceback).not.toMatch(/runner|json\/|asyncio/);
  });

  it("imports what the configured folders hold, and names it where a package is missing", async () => {
    const folder = mkdtempSync(join(tmpdir(), "codemode-packages-"));
    using _ = new DisposableStack();
    _.defer(() => rmSync(folder, { recursive: true }));
    chmodSync(folder, 0o755);
    writeFileSync(join(folder, "rulers.py"), "LENGTH = 30");
    await using executor = await startCpython({ sitePackages: [folder] });
    expect(await jsonOf(executor, "import rulers\nrulers.LENGTH")).toBe(30);
    const { result } = await collect(executor, "import requests", {
      tools: [{ name: "weather" }, { name: "report" }],
    });
    expect(result).toHaveProperty(
      "error.message",
      "No module named 'requests': there are the modules of the standard library, " +
        "the packages rulers, and the tools tools.weather, tools.report",
    );
  });

  it("brings native output too, best effort", async () => {
    await using executor = await startCpython();
    const { stdout, stderr } = await collect(
      executor,
      "import os\nos.write(1, b'raw\\n'); os.write(2, b'err\\n')\nprint('py')",
    );
    expect(stdout).toBe("raw\npy\n");
    expect(stderr).toBe("err\n");
  });
});
