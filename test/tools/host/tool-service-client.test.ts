import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { ToolFailureKind } from "../../../gen/es/codemode/v1/tool_pb.ts";
import { never } from "../../support/executions.ts";
import { startToolService, value } from "../../support/tool-service.ts";
import { callOf, clientOf, closedPort, scope } from "./support/client.ts";

describe("a service that cannot be reached", () => {
  it("is told once, with the cause, and once when it is reached", async () => {
    const told: (string | undefined)[] = [];
    const onReach = (_service: string, why: string | undefined) => told.push(why);
    const port = await closedPort();
    using client = clientOf(`http://127.0.0.1:${port}`, { onReach });
    for (let times = 0; times < 3; times++) await client.call(callOf(), never);
    await using service = await startToolService({}, { port });
    await client.call(callOf(), never);
    expect(service.calls).toHaveLength(1);
    expect(told).toEqual([`connect ECONNREFUSED 127.0.0.1:${port}`, undefined]);
  });

  it("is told to speak HTTP/1.1 where it does", async () => {
    const told: (string | undefined)[] = [];
    const onReach = (_service: string, why: string | undefined) => told.push(why);
    const server = http.createServer((_request, response) => response.end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    using client = clientOf(`http://127.0.0.1:${port}`, { onReach });
    const answer = await client.call(callOf(), never);
    expect(answer).toMatchObject({
      error: { kind: "unavailable", message: 'the tool service "crm" cannot be reached' },
    });
    expect(told).toEqual(["this port speaks HTTP/1.1; is HTTP/2 on?"]);
    server.close();
  });
});

describe("a call", () => {
  it("carries the caller's context, the ids, and the time that is left", async () => {
    await using service = await startToolService({ call: () => value({ ok: true }) });
    using client = clientOf(service.url);
    expect(await client.call(callOf({}, 5_000), never)).toEqual({ resultJson: '{"ok":true}' });
    const [received] = service.calls;
    expect(received?.request).toMatchObject({
      tool: "find",
      argumentsJson: '{"id":9007199254740993}',
      context: scope.context,
      executionId: "e-1",
      callId: "7",
      correlationId: "c-1",
    });
    expect(received?.header.get("x-correlation-id")).toBe("c-1");
    expect(received?.timeoutMs).toBeGreaterThan(4_000);
    expect(received?.timeoutMs).toBeLessThanOrEqual(5_000);
  });

  it("carries the trace of a caller that sent one, and the service's own key", async () => {
    await using service = await startToolService();
    using client = clientOf(service.url, {}, "crm-key");
    const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await client.call({ ...callOf(), scope: { ...scope, traceparent } }, never);
    expect(service.calls[0]?.header.get("traceparent")).toBe(traceparent);
    expect(service.calls[0]?.header.get("authorization")).toBe("Bearer crm-key");
  });

  it("carries no key and no trace where there is none", async () => {
    await using service = await startToolService();
    using client = clientOf(service.url);
    await client.call(callOf(), never);
    expect(service.calls[0]?.header.get("authorization")).toBeNull();
    expect(service.calls[0]?.header.get("traceparent")).toBeNull();
  });

  it("gives the failure of a tool as the application tells it", async () => {
    const error = {
      message: "no such customer",
      type: "KeyError",
      kind: ToolFailureKind.EXCEPTION,
    };
    await using service = await startToolService({
      call: () => ({ result: { case: "error", value: error } }),
    });
    using client = clientOf(service.url);
    expect(await client.call(callOf(), never)).toEqual({
      error: { kind: "exception", type: "KeyError", message: "no such customer" },
    });
  });

  it("without a result is a failure", async () => {
    await using service = await startToolService({ call: () => ({}) });
    using client = clientOf(service.url);
    expect(await client.call(callOf(), never)).toMatchObject({ error: { kind: "invalid_result" } });
  });

  it("is ended in the application when it is given up", async () => {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    await using service = await startToolService({
      call: ({ signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            resolve();
            reject(signal.reason);
          });
        }),
    });
    using client = clientOf(service.url);
    const controller = new AbortController();
    const received = service.nextCall();
    const call = client.call(callOf(), controller.signal);
    call.catch(() => {});
    await received;
    const reason = new Error("given up");
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await aborted;
  });

  it("that takes too long is a failure in time", async () => {
    await using service = await startToolService({ call: () => new Promise(() => {}) });
    using client = clientOf(service.url);
    expect(await client.call(callOf({ idempotent: true }, 30), never)).toEqual({
      error: {
        kind: "timeout",
        type: "",
        message: 'the tool service "crm" did not answer find in time',
      },
    });
    expect(service.calls).toHaveLength(1);
  });

  it("whose result is far too large is a failure that names the size", async () => {
    await using service = await startToolService({
      call: () => value("x".repeat(100_000)),
    });
    using client = clientOf(service.url, { payloadBytes: 1_000 });
    expect(await client.call(callOf(), never)).toMatchObject({
      error: { kind: "invalid_result", message: /^the result of find is too large: .*1000\d\d/ },
    });
  });

  it.each([
    [Code.Internal, "unavailable", 'the tool service "crm" failed with the status Internal'],
    [
      Code.Unauthenticated,
      "unavailable",
      'the tool service "crm" failed with the status Unauthenticated',
    ],
    [Code.NotFound, "not_granted", 'the tool service "crm" no longer has the tool "find"'],
    [Code.DeadlineExceeded, "timeout", 'the tool service "crm" did not answer find in time'],
  ])("that ends with the status %s is a failure without its text", async (code, kind, message) => {
    await using service = await startToolService({
      call() {
        throw new ConnectError("postgres://user:secret@10.0.0.1", code);
      },
    });
    using client = clientOf(service.url);
    const answer = await client.call(callOf({ idempotent: true }), never);
    expect(answer).toEqual({ error: { kind, type: "", message } });
    expect(service.calls).toHaveLength(1);
  });
});

describe("a call is tried again", () => {
  it("when it was not sent, whatever the tool", async () => {
    const port = await closedPort();
    using client = clientOf(`http://127.0.0.1:${port}`, {
      retry: { maxAttempts: 200, baseMs: 5, maxMs: 5, jitter: 0 },
    });
    const answer = client.call(callOf(), never);
    await using service = await startToolService({ call: () => value(1) }, { port });
    expect(await answer).toEqual({ resultJson: "1" });
    expect(service.calls).toHaveLength(1);
  });

  it.each([
    ["when its tool is idempotent", true, 3, { resultJson: "1" }],
    [
      "not when a second call could have a second effect",
      false,
      1,
      { error: { kind: "unavailable", type: "", message: expect.stringContaining("was lost") } },
    ],
  ])("after it was sent %s", async (_when, idempotent, tries, expected) => {
    await using service = await startToolService({
      call({ breakOff }) {
        if (service.calls.length < 3) breakOff();
        return value(1);
      },
    });
    using client = clientOf(service.url);
    expect(await client.call(callOf({ idempotent }), never)).toEqual(expected);
    expect(service.calls).toHaveLength(tries);
    expect(new Set(service.calls.map(({ request }) => request.callId))).toEqual(new Set(["7"]));
  });

  it.each([
    [true, 3],
    [false, 1],
  ])("when the application says unavailable and idempotent is %s", async (idempotent, tries) => {
    await using service = await startToolService({
      call() {
        throw new ConnectError("not now", Code.Unavailable);
      },
    });
    using client = clientOf(service.url);
    expect(await client.call(callOf({ idempotent }), never)).toMatchObject({
      error: { message: 'the tool service "crm" failed with the status Unavailable' },
    });
    expect(service.calls).toHaveLength(tries);
  });

  it("until the policy ends, and then cannot be reached", async () => {
    using client = clientOf(`http://127.0.0.1:${await closedPort()}`);
    expect(await client.call(callOf(), never)).toEqual({
      error: { kind: "unavailable", type: "", message: 'the tool service "crm" cannot be reached' },
    });
  });
});

it("sends nothing before it is used, and leaves no connection when it is disposed", async () => {
  await using service = await startToolService({ call: () => new Promise(() => {}) });
  {
    using client = clientOf(service.url);
    expect(service.lists).toEqual([]);
    const received = service.nextCall();
    const answer = client.call(callOf(), never);
    await received;
    client[Symbol.dispose]();
    expect(await answer).toMatchObject({ error: { kind: "unavailable" } });
    await vi.waitFor(() => expect(service.calls[0]?.signal.aborted).toBe(true));
  }
});
