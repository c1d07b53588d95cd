import { describe, expect, it, vi } from "vitest";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import { connectClient } from "../support/client.ts";
import {
  countStarts,
  type ServiceProcess,
  startServiceProcess,
} from "../support/service-process.ts";
import { type RetryingClient, retryingClients } from "./support/retrying-clients.ts";

const patient = { timeout: 20_000, interval: 10 };
const oneSlot = { CODEMODE_SLOTS: "1", CODEMODE_QUEUE_SIZE: "5" };

/** Waits until one execution is in a state; gives its id. */
async function untilIn(state: ExecutionState, { url }: ServiceProcess): Promise<string> {
  using client = connectClient(url);
  return await vi.waitFor(async () => {
    const { executions } = await client.executor.listExecutions({ state });
    expect(executions).toHaveLength(1);
    return executions[0]?.executionId ?? "";
  }, patient);
}

async function cancel(executionId: string, { url }: ServiceProcess): Promise<void> {
  using client = connectClient(url);
  await client.executor.cancelExecution({ executionId });
}

// Policies of these clients try every status again: what keeps a program from running is the service.
describe.each(retryingClients)("$name", ({ name, missing, start }) => {
  const isSdk = name === "the SDK";

  /** Resolves with what the caller of the program "it" saw, and how often that was started. */
  async function play(
    env: Readonly<Record<string, string>>,
    act: (service: ServiceProcess, client: RetryingClient) => Promise<string>,
  ) {
    await using starts = await countStarts();
    await using service = await startServiceProcess({ starts, env });
    await using client = start();
    const outcome = await act(service, client);
    return { outcome, starts: await starts.of("it") };
  }

  describe.skipIf(missing)("never runs a program that", () => {
    it("is refused for what its request is", async () => {
      const seen = await play({}, ({ url }, client) => client.run({ url, code: "", run: "it" }));
      const outcome = isSdk ? "invalid_request" : "INVALID_ARGUMENT";
      expect(seen).toEqual({ outcome, starts: 0 });
    });

    it("comes without a key", async () => {
      const env = { CODEMODE_API_KEYS: "acme:a-key-that-nobody-has" };
      const seen = await play(env, ({ url }, client) =>
        client.run({ url, code: "one", run: "it" }),
      );
      expect(seen).toEqual({ outcome: isSdk ? "unauthenticated" : "UNAUTHENTICATED", starts: 0 });
    });

    it("has the request id of another", async () => {
      const seen = await play({}, async ({ url }, client) => {
        const requestId = "r-1";
        await client.run({ url, code: "one", run: "before", requestId });
        return await client.run({ url, code: "one", run: "it", requestId });
      });
      expect(seen).toEqual({ outcome: isSdk ? "already_exists" : "ALREADY_EXISTS", starts: 0 });
    });

    it("is one more than its tenant may start in a minute", async () => {
      const env = { CODEMODE_TENANT_EXECUTIONS_PER_MINUTE: "1" };
      const seen = await play(env, async ({ url }, client) => {
        await client.run({ url, code: "one", run: "before" });
        return await client.run({ url, code: "one", run: "it", timeoutMs: 10_000 });
      });
      expect(seen).toEqual({ outcome: isSdk ? "overloaded" : "RESOURCE_EXHAUSTED", starts: 0 });
    });

    // The SDK has its programs kept for a while, also beyond its deadline.
    if (!isSdk) {
      it("waited for a slot when its caller's deadline passed", async () => {
        const seen = await play(oneSlot, async (service, client) => {
          const { url } = service;
          using other = connectClient(url);
          other.executor.execute({ request: { code: "held" } }).catch(() => {});
          await untilIn(ExecutionState.RUNNING, service);
          const answer = client.run({ url, code: "one", run: "it", timeoutMs: 1_500 });
          await untilIn(ExecutionState.QUEUED, service);
          const outcome = await answer;
          // The service's own clock for the call may be a moment behind the caller's.
          await untilIn(ExecutionState.FINISHED, service);
          service.release();
          return outcome;
        });
        expect(seen).toEqual({ outcome: "DEADLINE_EXCEEDED", starts: 0 });
      });
    }

    it("was cancelled while it waited for a slot", async () => {
      const seen = await play(oneSlot, async (service, client) => {
        const { url } = service;
        using other = connectClient(url);
        other.executor.execute({ request: { code: "held" } }).catch(() => {});
        await untilIn(ExecutionState.RUNNING, service);
        const answer = client.run({ url, code: "one", run: "it" });
        await cancel(await untilIn(ExecutionState.QUEUED, service), service);
        service.release();
        return await answer;
      });
      expect(seen).toEqual({ outcome: isSdk ? "failed" : "failure", starts: 0 });
    });
  });

  it.skipIf(missing)("does not run a program again that was cancelled while it ran", async () => {
    const seen = await play({}, async (service, client) => {
      const answer = client.run({ url: service.url, code: "forever", run: "it" });
      await cancel(await untilIn(ExecutionState.RUNNING, service), service);
      return await answer;
    });
    expect(seen).toEqual({ outcome: isSdk ? "failed" : "failure", starts: 1 });
  });
});
