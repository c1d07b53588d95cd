import { expect, it } from "vitest";
import { linesOf, runNode } from "./support/run.ts";

it("examples/calculator-engine runs programs of a language of its own", async () => {
  const ran = await runNode("examples/calculator-engine/main.ts", {});
  expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
  expect(linesOf(ran.stdout)).toEqual([
    "a value: 20",
    "output and variables: 1, 4, 9",
    "a tool: 180",
    "an error: exception at line 2, division by zero",
    "a typing error: syntax at line 2, what is ++?",
    "an endless loop: timeout at line 0, the program ran longer than 500 ms",
  ]);
});
