import { describe, expect, it } from "vitest";
import type { Executor } from "../../../src/executors/executor.ts";
import { createStandby } from "../../../src/executors/standby.ts";
import { Stop } from "../../../src/shared/stop.ts";
import { collect } from "../../support/programs.ts";
import { createScriptedExecutor } from "../../support/scripted-executor.ts";

const scripts = { hello: () => "hello" };

function setUp({ isNeeded = true, isUp = true } = {}) {
  const state = { isNeeded, created: 0, disposed: 0 };
  const gate = Promise.withResolvers<void>();
  const standby = createStandby({
    name: "second",
    languages: ["python"],
    isNeeded: () => state.isNeeded,
    async create() {
      state.created += 1;
      await gate.promise;
      const inner = createScriptedExecutor(scripts, {
        name: "second",
        up: isUp,
        reason: isUp ? "" : "no wall",
      });
      const dispose = async () => {
        state.disposed += 1;
        await inner[Symbol.asyncDispose]();
      };
      return { ...inner, [Symbol.asyncDispose]: dispose } satisfies Executor;
    },
  });
  return { standby, state, start: () => gate.resolve() };
}

describe("an engine that stands by", () => {
  it("does not start while another runs its languages, and says so", async () => {
    const { standby, state } = setUp({ isNeeded: false });
    expect(standby.info()).toMatchObject({
      name: "second",
      up: false,
      reason: "it stands by: another engine runs python",
    });
    await standby[Symbol.asyncDispose]();
    expect(state).toMatchObject({ created: 0, disposed: 0 });
  });

  it("starts at once where no other runs its languages, and takes programs meanwhile", async () => {
    const { standby, state, start } = setUp();
    expect(state.created).toBe(1);
    expect(standby.info()).toMatchObject({ up: true, isolationTier: undefined });
    expect(standby.info().warnings).toHaveLength(1);
    const running = collect(standby, "hello");
    start();
    expect((await running).result).toMatchObject({ value: { json: '"hello"' } });
    expect(standby.info()).toMatchObject({ up: true, isolationTier: "T2", warnings: [] });
  });

  it("starts once, with the first program, when the other has gone down", async () => {
    const { standby, state, start } = setUp({ isNeeded: false });
    start();
    state.isNeeded = true;
    expect(standby.info().up).toBe(true);
    expect(state.created).toBe(0);
    await Promise.all([collect(standby, "hello"), collect(standby, "hello")]);
    expect(state.created).toBe(1);
  });

  it("says why it is not up when it could not start", async () => {
    const { standby, start } = setUp({ isUp: false });
    start();
    await expect.poll(() => standby.info()).toMatchObject({ up: false, reason: "no wall" });
  });

  it("lets a program go whose signal aborts before it has started", async () => {
    const { standby } = setUp();
    const controller = new AbortController();
    const running = collect(standby, "hello", { signal: controller.signal });
    controller.abort(new Stop("cancelled", "enough"));
    await expect(running).rejects.toThrow("enough");
  });

  it("is disposed with what it has started", async () => {
    const { standby, state, start } = setUp();
    start();
    await standby[Symbol.asyncDispose]();
    expect(state).toMatchObject({ created: 1, disposed: 1 });
  });

  it("gives up its start when it is disposed", async () => {
    const given = Promise.withResolvers<AbortSignal>();
    const standby = createStandby({
      name: "second",
      languages: ["python"],
      isNeeded: () => true,
      create: (signal) => {
        given.resolve(signal);
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(createScriptedExecutor(scripts)));
        });
      },
    });
    expect((await given.promise).aborted).toBe(false);
    await standby[Symbol.asyncDispose]();
  });

  it("starts nothing any more once it is disposed", async () => {
    const { standby, state } = setUp({ isNeeded: false });
    await standby[Symbol.asyncDispose]();
    state.isNeeded = true;
    expect(standby.info().up).toBe(false);
    await expect(async () => await collect(standby, "hello")).rejects.toMatchObject({
      kind: "unavailable",
    });
    expect(state.created).toBe(0);
  });
});
