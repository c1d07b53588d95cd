import { describe } from "vitest";
import { startQuickjs } from "../support/quickjs.ts";
import { executorSuite } from "./executor.suite.ts";
import { javascript } from "./programs/javascript.ts";
import { typescript } from "./programs/typescript.ts";

// Its threads collect their garbage when they like: what they hold differs by some MiB from look to look.
const traits = { addedMemoryBytes: 64 * 2 ** 20 };

describe("quickjs runs JavaScript", () => {
  executorSuite(() => startQuickjs(), javascript, traits);
});

describe("quickjs runs TypeScript", () => {
  executorSuite(() => startQuickjs(), typescript, traits);
});
