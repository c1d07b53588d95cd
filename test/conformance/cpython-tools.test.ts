import { describe, expect, it } from "vitest";
import { jsonOf } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";
import { pythonToolErrorsSuite } from "./python-tool-errors.suite.ts";
import { pythonToolsSuite } from "./python-tools.suite.ts";

describe.skipIf(noPython)("tools in cpython", () => {
  pythonToolsSuite(() => startCpython());
  pythonToolErrorsSuite(() => startCpython());

  it("take arguments of 8 MiB where so much is allowed, and not a byte more", async () => {
    await using roomy = await startCpython({ toolPayloadBytes: 8 * 2 ** 20 });
    const options = {
      tools: [{ name: "echo" }],
      onCall: () => "taken",
      limits: { memoryBytes: 2 ** 29 },
    };
    const call = (bytes: number) => `tools.echo(v='x' * ${bytes - 8})`;
    expect(await jsonOf(roomy, call(8 * 2 ** 20), options)).toBe("taken");
    await expect(jsonOf(roomy, call(8 * 2 ** 20 + 1), options)).rejects.toThrow("8388609 bytes");
  });
});
