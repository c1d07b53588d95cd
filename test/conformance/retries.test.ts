import { describe, expect, it, vi } from "vitest";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import { connectClient } from "../support/client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import {
  countStarts,
  type ServiceProcess,
  startServiceProcess,
} from "../support/service-process.ts";
import { type RetryingClient, retryingClients } from "./support/retrying-clients.ts";

const patient = { timeout: 20_000, interval: 10 };

/** Everything that one row of the table needs; each has services and counts of its own. */
async function setUp(env: Readonly<Record<string, string>> = {}) {
  await using made = new AsyncDisposableStack();
  const starts = made.use(await countStarts());
  let service = made.use(await startServiceProcess({ starts, env }));
  const proxy = made.use(await startCuttingProxy(service.url));
  const own = made.move();
  return {
    starts,
    proxy,
    get service() {
      return service;
    },
    /** Takes the only slot, or a slot; resolves when the program runs. */
    async hold() {
      const client = own.adopt(connectClient(service.url), (each) => each[Symbol.dispose]());
      const held = client.executor.execute({ request: { code: "held", context: { run: "hold" } } });
      held.catch(() => {});
      await starts.until("hold");
    },
    async untilLogged(code: string) {
      await vi.waitFor(() => expect(codes(service)).toContain(code), patient);
    },
    async untilQueued() {
      using client = connectClient(service.url);
      await vi.waitFor(async () => {
        const state = ExecutionState.QUEUED;
        const { executions } = await client.executor.listExecutions({ state });
        expect(executions).toHaveLength(1);
      }, patient);
    },
    /** Kills the service, and starts another on its port. */
    async replace() {
      service.kill("SIGKILL");
      await service.ended;
      service = own.use(await startServiceProcess({ starts, port: service.port, env }));
    },
    async successor() {
      await service.ended;
      service = own.use(await startServiceProcess({ starts, port: service.port, env }));
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

/** Status codes of the calls that a service answered. */
function codes({ log }: ServiceProcess): unknown[] {
  return log.filter(({ msg }) => msg === "call").map(({ code }) => code);
}

type Row = Awaited<ReturnType<typeof setUp>>;
const oneSlot = { CODEMODE_SLOTS: "1", CODEMODE_QUEUE_SIZE: "5" };

describe.each(retryingClients)("$name", ({ name, missing, start }) => {
  const isSdk = name === "the SDK";

  /** Plays a row; resolves with what the caller saw and how often the program was started. */
  async function play(
    env: Readonly<Record<string, string>>,
    act: (row: Row, client: RetryingClient) => Promise<string>,
  ) {
    await using row = await setUp(env);
    await using client = start();
    const outcome = await act(row, client);
    return { outcome, starts: await row.starts.of("it") };
  }

  describe.skipIf(missing)("runs a program once that", () => {
    it("was refused for want of a slot", async () => {
      const env = { CODEMODE_SLOTS: "1", CODEMODE_QUEUE_SIZE: "0" };
      const seen = await play(env, async ({ hold, service, untilLogged }, client) => {
        await hold();
        const answer = client.run({ url: service.url, code: "one", run: "it" });
        await untilLogged("resource_exhausted");
        service.release();
        return await answer;
      });
      expect(seen).toEqual({ outcome: "ok", starts: 1 });
    });

    it("waited too long for a slot", async () => {
      const env = { ...oneSlot, CODEMODE_QUEUE_TIMEOUT_MS: "100" };
      const seen = await play(env, async ({ hold, service, untilLogged }, client) => {
        await hold();
        const answer = client.run({ url: service.url, code: "one", run: "it" });
        await untilLogged("resource_exhausted");
        service.release();
        return await answer;
      });
      expect(seen).toEqual({ outcome: "ok", starts: 1 });
    });

    it("came to a server that drains, and goes to its successor", async () => {
      const seen = await play({}, async (row, client) => {
        const { url } = row.service;
        await client.run({ url, code: "one", run: "before" });
        await row.hold();
        row.service.kill("SIGTERM");
        await vi.waitFor(
          () => expect(row.service.log.some(({ msg }) => msg === "draining")).toBe(true),
          patient,
        );
        const answer = client.run({ url, code: "one", run: "it" });
        await row.untilLogged("unavailable");
        row.service.release();
        await row.successor();
        return await answer;
      });
      expect(seen).toEqual({ outcome: "ok", starts: 1 });
    });

    it("was queued when its connection was cut", async () => {
      const seen = await play(oneSlot, async ({ hold, proxy, service, untilQueued }, client) => {
        await hold();
        const answer = client.run({ url: proxy.url, code: "one", run: "it" });
        await untilQueued();
        proxy.cut();
        await vi.waitFor(() => expect(proxy.accepted).toBeGreaterThan(1), patient);
        service.release();
        return await answer;
      });
      expect(seen).toEqual({ outcome: "ok", starts: 1 });
    });

    it("was queued when its server was killed, or not at all where that is not known", async () => {
      const seen = await play(oneSlot, async (row, client) => {
        await row.hold();
        const answer = client.run({ url: row.service.url, code: "one", run: "it" });
        await row.untilQueued();
        await row.replace();
        return await answer;
      });
      // The SDK was not told that it had not started, and who could tell is gone.
      expect(seen).toEqual(
        isSdk ? { outcome: "execution_lost", starts: 0 } : { outcome: "ok", starts: 1 },
      );
    });

    it("had ended when its answer was lost from the first byte, by its request id", async () => {
      const seen = await play({}, async ({ proxy, starts, service }, client) => {
        await client.run({ url: proxy.url, code: "one", run: "before" });
        const before = codes(service).length;
        const stalled = proxy.stall({ answersOnly: true });
        const call = { url: proxy.url, code: "one", run: "it", requestId: "r-1" };
        const answer = client.run(call);
        await starts.until("it");
        await vi.waitFor(() => expect(codes(service).length).toBeGreaterThan(before), patient);
        proxy.cut();
        stalled[Symbol.dispose]();
        return await answer;
      });
      expect(seen).toEqual({ outcome: "ok", starts: 1 });
    });
  });

  describe.skipIf(missing)("never runs a program again that", () => {
    it.each([
      ["was running when its server was killed", "forever"],
      ["waited for a tool when its server was killed", "tool"],
    ])("%s", async (_title, code) => {
      const seen = await play({}, async (row, client) => {
        const tool = code === "tool" ? { tool: new Promise(() => {}) } : {};
        const answer = client.run({ url: row.service.url, code, run: "it", ...tool });
        await row.starts.until(code === "tool" ? "it waits" : "it");
        await row.replace();
        return await answer;
      });
      expect(seen).toEqual({ outcome: isSdk ? "execution_lost" : "UNAVAILABLE", starts: 1 });
    });

    it.each([
      ["was running when its connection was cut", "held"],
      ["waited for a tool when its connection was cut", "tool"],
    ])("%s", async (_title, code) => {
      const seen = await play({}, async ({ starts, proxy, service }, client) => {
        const release = Promise.withResolvers<string>();
        const called = Promise.withResolvers<void>();
        const isTool = code === "tool";
        const tool = isTool ? { tool: release.promise, onCall: called.resolve } : {};
        const answer = client.run({ url: proxy.url, code, run: "it", ...tool });
        await starts.until(isTool ? "it waits" : "it");
        if (isSdk && isTool) await called.promise;
        proxy.cut();
        if (isSdk) await vi.waitFor(() => expect(proxy.accepted).toBeGreaterThan(1), patient);
        service.release();
        release.resolve("done");
        return await answer;
      });
      // The SDK comes back to it.
      expect(seen).toEqual({ outcome: isSdk ? "ok" : "UNAVAILABLE", starts: 1 });
    });

    it("killed its server in the first moment of its run", async () => {
      const seen = await play({}, async (row, client) => {
        const answer = client.run({ url: row.service.url, code: "kill the server", run: "it" });
        await row.successor();
        return await answer;
      });
      expect(seen).toEqual({ outcome: isSdk ? "execution_lost" : "UNAVAILABLE", starts: 1 });
    });

    it("had ended when its answer was cut off", async () => {
      const seen = await play({}, async ({ starts, proxy, service }, client) => {
        const answer = client.run({ url: proxy.url, code: "held", run: "it" });
        await starts.until("it");
        // What says that it has started has gone through.
        using other = connectClient(proxy.url);
        await other.executor.getServerInfo({});
        const before = codes(service).length;
        const stalled = proxy.stall({ answersOnly: true });
        service.release();
        await vi.waitFor(() => expect(codes(service).length).toBeGreaterThan(before), patient);
        proxy.cut();
        stalled[Symbol.dispose]();
        return await answer;
      });
      expect(seen).toEqual({ outcome: isSdk ? "ok" : "UNAVAILABLE", starts: 1 });
    });

    it("its engine lost", async () => {
      const seen = await play({}, ({ service }, client) =>
        client.run({ url: service.url, code: "lost", run: "it" }),
      );
      expect(seen).toEqual({ outcome: isSdk ? "execution_lost" : "ABORTED", starts: 1 });
    });

    it("ran when its caller's deadline passed", async () => {
      const seen = await play({}, ({ service }, client) =>
        client.run({ url: service.url, code: "forever", run: "it", timeoutMs: 1_500 }),
      );
      const outcome = isSdk ? "deadline_exceeded" : "DEADLINE_EXCEEDED";
      expect(seen).toEqual({ outcome, starts: 1 });
    });

    it("failed by its own fault", async () => {
      const seen = await play({}, ({ service }, client) =>
        client.run({ url: service.url, code: "fails", run: "it" }),
      );
      expect(seen).toEqual({ outcome: isSdk ? "failed" : "failure", starts: 1 });
    });
  });
});
