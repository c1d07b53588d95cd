import { describe, expect, it, vi } from "vitest";
import { unwrap } from "../../src/index.ts";
import type { Script } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";
import { roads } from "./support/roads.ts";

const prime: Script = () => 0;

const hello: Script = async ({ print, program, call }) => {
  await print("hello\n");
  if (program.tools.length === 0) return 1;
  const answer = await call("ping", "{}");
  return "resultJson" in answer && answer.resultJson === '"pong"' ? 1 : 0;
};

describe.each(roads)("a request by $road whose connection is lost before any answer", ({ run }) => {
  it("is come back to where its program runs, and runs once", async () => {
    const gate = createGate();
    const waiting: Script = async (guest) => {
      await gate.opened;
      return hello(guest);
    };
    await using test = await startCuttable({ waiting, prime });
    await test.codemode.execute("prime");
    const started = test.executor.untilStarted("waiting");
    const stalled = test.proxy.stall({ answersOnly: true });
    const result = run(test.codemode, "waiting");
    await started;
    test.proxy.cut();
    stalled[Symbol.dispose]();
    await vi.waitFor(() => expect(test.proxy.accepted).toBe(2));
    gate.open();
    expect(await result).toMatchObject({ status: "completed", value: 1, stdout: "hello\n" });
    expect(test.executor.started).toEqual(["prime", "waiting"]);
  });

  it("is come back to where its program has gone on without it, output included", async () => {
    await using test = await startCuttable({ hello, prime });
    await test.codemode.execute("prime");
    const stalled = test.proxy.stall({ answersOnly: true });
    const result = run(test.codemode, "hello");
    await vi.waitFor(() => expect(test.executor.started).toEqual(["prime", "hello"]));
    // With tools it waits for its call; without them it ends.
    if (run !== roads[2].run) await vi.waitFor(() => expect(test.server.stats().inUse).toBe(0));
    test.proxy.cut();
    stalled[Symbol.dispose]();
    expect(await result).toMatchObject({ status: "completed", value: 1, stdout: "hello\n" });
    expect(test.executor.started).toEqual(["prime", "hello"]);
  });

  it("is sent again where it did not arrive", async () => {
    await using test = await startCuttable({ hello, prime });
    await test.codemode.execute("prime");
    const stalled = test.proxy.stall();
    const result = run(test.codemode, "hello");
    await vi.waitFor(() => expect(test.proxy.waiting).toBeGreaterThan(0));
    test.proxy.cut();
    stalled[Symbol.dispose]();
    expect(await result).toMatchObject({ status: "completed", value: 1 });
    expect(test.executor.started).toEqual(["prime", "hello"]);
  });

  it("is lost where another instance answers, and does not run there", async () => {
    const gate = createGate();
    const waiting: Script = () => gate.opened;
    await using test = await startCuttable({ waiting });
    await using other = await startCuttable({ waiting, prime });
    await test.codemode.execute("prime");
    const started = test.executor.untilStarted("waiting");
    const stalled = test.proxy.stall({ answersOnly: true });
    const result = run(test.codemode, "waiting");
    const failed = expect(result).rejects.toMatchObject({
      kind: "execution_lost",
      retryable: false,
    });
    await started;
    test.proxy.retarget(other.server.url);
    test.proxy.cut();
    stalled[Symbol.dispose]();
    await failed;
    expect(other.executor.started).toEqual([]);
    expect(test.executor.started).toEqual(["prime", "waiting"]);
    gate.open();
  });

  it("goes to the instance that took the place of the one that was known", async () => {
    await using test = await startCuttable({ hello });
    await using other = await startCuttable({ hello });
    expect(unwrap(await run(test.codemode, "hello"))).toBe(1);
    test.proxy.retarget(other.server.url);
    test.proxy.cut();
    // A request to a connection that is not yet known to be cut would be lost.
    await test.codemode.serverInfo();
    expect(unwrap(await run(test.codemode, "hello"))).toBe(1);
    expect(test.executor.started).toEqual(["hello"]);
    expect(other.executor.started).toEqual(["hello"]);
  });

  it("runs once at most behind a balancer, where each connection may lead to another instance", async () => {
    const gate = createGate();
    const waiting: Script = () => gate.opened;
    await using test = await startCuttable({ waiting, prime });
    await using other = await startCuttable({ waiting, prime }, { settings: { slots: 1 } });
    await test.codemode.execute("prime");
    // The connection is opened again and leads to the other one, of which nothing is known here.
    test.proxy.retarget(other.server.url);
    test.proxy.cut();
    await test.codemode.serverInfo();
    const occupant = other.codemode.stream("waiting");
    await occupant.id;
    const failed = expect(run(test.codemode, "prime")).rejects.toMatchObject({
      kind: "execution_lost",
    });
    await vi.waitFor(() => expect(other.server.stats().queued).toBe(1));
    // Opened once more it leads to the first one, which has never heard of the request.
    test.proxy.retarget(test.server.url);
    test.proxy.cut();
    await failed;
    gate.open();
    await occupant.outcome;
    expect(test.executor.started).toEqual(["prime"]);
    await vi.waitFor(() => expect(other.executor.started).toEqual(["waiting", "prime"]));
  });
});
