import { describe } from "vitest";
import { createCalculator } from "../../examples/calculator-engine/engine.ts";
import { executorSuite } from "./executor.suite.ts";
import { calculator } from "./programs/calculator.ts";

describe("the calculator, an engine from outside", () => {
  executorSuite(async () => createCalculator(), calculator, {
    lacks: { "tool argument checks": "the calculator leaves them to the host" },
  });
});
