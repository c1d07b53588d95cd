import { describe, expect, it } from "vitest";
import { createSandboxedExecutor } from "../../../src/executors/sandboxed.ts";
import type { Sandbox } from "../../../src/sandbox/sandbox.ts";
import { CodemodeError } from "../../../src/shared/errors.ts";
import { collect } from "../../support/collect.ts";
import { programOf } from "../../support/requests.ts";

const never = new AbortController().signal;

/** An executor of a sandbox that is up or down as the test says, and has no guest. */
function setUp(isUp: boolean, refusal: unknown = new CodemodeError("unavailable", "no zygote")) {
  const state = { isUp };
  const sandbox: Sandbox = {
    info: () => ({
      name: "cpython",
      languages: ["python"],
      up: state.isUp,
      reason: state.isUp ? "" : "no zygote",
      version: "",
      isolationTier: "T2",
      probes: [],
      warnings: [],
    }),
    lease: async () => {
      throw refusal;
    },
    async [Symbol.asyncDispose]() {},
  };
  const limits = { resultBytes: 1, toolPayloadBytes: 1 };
  return { state, executor: createSandboxedExecutor(sandbox, limits) };
}

describe("an executor over a sandbox", () => {
  it("is being started again once it is down after it was up, and not when it never was", () => {
    const { state, executor } = setUp(true);
    expect(executor.info()).toMatchObject({ up: true, isRestarting: false });
    state.isUp = false;
    expect(executor.info()).toMatchObject({ up: false, isRestarting: true });
    state.isUp = true;
    expect(executor.info()).toMatchObject({ up: true, isRestarting: false });
    expect(setUp(false).executor.info()).toMatchObject({ up: false, isRestarting: false });
  });

  it("knows that it was up although nobody asked meanwhile", () => {
    const { state, executor } = setUp(true);
    state.isUp = false;
    expect(executor.info()).toMatchObject({ isRestarting: true });
  });

  it("says when to come back where there is no guest now", async () => {
    const { executor } = setUp(true);
    await expect(collect(executor.run(programOf("x"), never))).rejects.toMatchObject({
      kind: "unavailable",
      message: "no zygote",
      retryable: true,
      retryAfterMs: 1_000,
    });
  });

  it("passes on what else goes wrong as it is", async () => {
    for (const error of [
      new Error("EPIPE"),
      new CodemodeError("unavailable", "later", { retryAfterMs: 5 }),
    ]) {
      const { executor } = setUp(true, error);
      await expect(collect(executor.run(programOf("x"), never))).rejects.toBe(error);
    }
  });
});
