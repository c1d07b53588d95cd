import { describe, expect, it } from "vitest";
import { collect, type RunOptions } from "../support/programs.ts";
import { noPython, startCpython } from "../support/toolchain.ts";

/** Answers when the program that asked has long ended: nothing of the host moves meanwhile. */
const late: RunOptions["onCall"] = () => {
  const until = performance.now() + 300;
  while (performance.now() < until);
  return "too late";
};

describe.skipIf(noPython)("an answer to a program that has ended", () => {
  it("does not cost the host its result", async () => {
    await using executor = await startCpython();
    const code =
      "import asyncio\nawait asyncio.sleep(0)\ncall = tools.echo(text='x')\nawait asyncio.sleep(.1)\n'the result'";
    for (let round = 0; round < 3; round += 1) {
      const { result } = await collect(executor, code, { tools: [{ name: "echo" }], onCall: late });
      expect(result).toMatchObject({ status: "completed", value: { text: "the result" } });
    }
  });
});
