import { describe, expect, it, vi } from "vitest";
import type { ToolAnswer } from "../../../src/shared/model.ts";
import type { ServiceCall, ToolService } from "../../../src/tools/tool-service.ts";
import { setUpBridge as setUp } from "../../support/bridge.ts";
import { toolOf } from "../../support/requests.ts";

const inline = [toolOf("weather"), toolOf("mail")];
const cancelled = { error: { kind: "cancelled" } };

/** A service whose calls wait until the test answers them. */
function waitingService(name: string, ...tools: string[]) {
  const calls: { call: ServiceCall; signal: AbortSignal; answer: (answer: ToolAnswer) => void }[] =
    [];
  const service: ToolService = {
    name,
    tools: async () => tools.map((tool) => toolOf(tool)),
    call(call, signal) {
      const { promise, resolve, reject } = Promise.withResolvers<ToolAnswer>();
      signal.addEventListener("abort", () => reject(signal.reason));
      calls.push({ call, signal, answer: resolve });
      return promise;
    },
  };
  return { service, calls };
}

describe("the end of an execution", () => {
  it("cancels what is open in the log, and takes nothing after it", async () => {
    const crm = waitingService("crm", "find");
    const t = await setUp({ inline, services: [crm.service] });
    await t.call("weather");
    await t.call("find");
    await t.call("mail");
    t.bridge.deliver({ callId: "3", resultJson: "1" });
    t.bridge.close();
    t.bridge.close();
    expect(t.log.slice(3)).toMatchObject([
      { callId: "3", resultJson: "1" },
      { callId: "1", ...cancelled },
      { callId: "2", ...cancelled },
    ]);
    expect(crm.calls[0]?.signal.aborted).toBe(true);
    const { length } = t.log;
    for (const callId of ["1", "2", "3"]) {
      expect(() => t.bridge.deliver({ callId, resultJson: "1" })).toThrow(
        expect.objectContaining({ kind: "not_found" }),
      );
    }
    await t.call("weather");
    expect(t.log).toHaveLength(length);
    expect(t.bridge.count).toBe(4);
    expect(t.refusals).toEqual({ calls: 1, answers: 3 });
    expect(t.faults).toEqual([]);
  });

  it("finds a call that the log has not taken yet, which then goes nowhere", async () => {
    const crm = waitingService("crm", "find");
    const written = Promise.withResolvers<void>();
    const t = await setUp({ services: [crm.service], append: () => written.promise });
    const call = t.call("find");
    t.bridge.close();
    written.resolve();
    await call;
    expect(t.log.map(({ type }) => type)).toEqual(["tool_call", "tool_result"]);
    expect(crm.calls).toEqual([]);
  });
});

describe("a caller that closes its side", () => {
  it("fails its open calls and its later ones, and no others", async () => {
    const crm = waitingService("crm", "find");
    const t = await setUp({ inline, services: [crm.service] });
    const open = await t.call("weather");
    const other = await t.call("find");
    t.bridge.closeCaller();
    const later = await t.call("mail");
    const error = {
      kind: "unavailable",
      message: "nobody is left to answer weather: the caller closed its side",
    };
    await vi.waitFor(() => expect(t.answerTo(open)).toMatchObject({ error }));
    await vi.waitFor(() =>
      expect(t.answerTo(later)).toMatchObject({ error: { kind: "unavailable" } }),
    );
    crm.calls[0]?.answer({ resultJson: "7" });
    await vi.waitFor(() => expect(t.answerTo(other)).toMatchObject({ resultJson: "7" }));
  });
});

describe("a caller that comes back", () => {
  it("is told which calls wait for it, whole and in order, and no others", async () => {
    const crm = waitingService("crm", "find");
    const t = await setUp({ inline, services: [crm.service], payloads: { payloadBytes: 100 } });
    await t.call("weather", '{"n":1}');
    await t.call("find", "{}");
    await t.call("mail", '{"n":3}');
    await t.call("weather", `{"a":"${"x".repeat(100)}"}`);
    await t.call("weather", '{"n":5}');
    t.bridge.deliver({ callId: "1", resultJson: "1" });
    expect(t.bridge.openCalls()).toEqual([
      { callId: "3", callKey: "/3", tool: "mail", argumentsJson: '{"n":3}' },
      { callId: "5", callKey: "/5", tool: "weather", argumentsJson: '{"n":5}' },
    ]);
    t.bridge.close();
    expect(t.bridge.openCalls()).toEqual([]);
  });

  it("is never told of a call that is on its way to the log but too large to be made", async () => {
    const written = Promise.withResolvers<void>();
    const payloads = { payloadBytes: 10 };
    const t = await setUp({ inline, payloads, append: () => written.promise });
    const call = t.call("weather", `{"a":"${"x".repeat(100)}"}`);
    expect(t.log).toMatchObject([{ type: "tool_call", argumentsOmitted: true }]);
    expect(t.bridge.openCalls()).toEqual([]);
    written.resolve();
    await call;
  });

  it("answers calls again, after one that closed its side", async () => {
    const t = await setUp({ inline });
    t.bridge.closeCaller();
    t.bridge.openCaller();
    const call = await t.call("weather");
    t.bridge.deliver({ callId: "1", resultJson: "7" });
    await vi.waitFor(() => expect(t.answerTo(call)).toEqual({ call, resultJson: "7" }));
  });
});

describe("a service", () => {
  it("is given the call with the caller's context, and the time that is left", async () => {
    const crm = waitingService("crm", "find");
    const endsAt = performance.now() + 500;
    const context = { client_id: "acme" };
    const t = await setUp({ services: [crm.service], endsAt, context });
    const call = await t.call("find", '{"id":7}');
    expect(crm.calls[0]?.call).toEqual({
      scope: { context, executionId: "e-1", correlationId: "c-1", traceparent: undefined },
      tool: toolOf("find"),
      callId: "1",
      argumentsJson: '{"id":7}',
      endsAt,
    });
    crm.calls[0]?.answer({ resultJson: '{"ok":true}' });
    await vi.waitFor(() => expect(t.answerTo(call)).toEqual({ call, resultJson: '{"ok":true}' }));
    expect(t.steps).toEqual(["tool_call 1", "tool_result 1", "guest 1"]);
  });

  it("has no more time for a call than the limit of one wait", async () => {
    const crm = waitingService("crm", "find");
    const t = await setUp({ services: [crm.service], limits: { waitMs: 50 } });
    const call = await t.call("find");
    expect(crm.calls[0]?.call.endsAt).toBeLessThanOrEqual(performance.now() + 50);
    await vi.waitFor(() => expect(t.answerTo(call)).toMatchObject({ error: { kind: "timeout" } }));
    expect(crm.calls[0]?.signal.aborted).toBe(true);
    expect(t.faults).toEqual([]);
  });

  it("is asked for a name that is not known, and then called", async () => {
    const crm = waitingService("crm", "find");
    const lists = [[toolOf("find")], [toolOf("find"), toolOf("new")]];
    const tools = async () => lists.shift() ?? [];
    const t = await setUp({ services: [{ ...crm.service, tools }] });
    const call = await t.call("new");
    await vi.waitFor(() => expect(crm.calls).toHaveLength(1));
    crm.calls[0]?.answer({ resultJson: "1" });
    await vi.waitFor(() => expect(t.answerTo(call)).toMatchObject({ resultJson: "1" }));
  });

  it("that gives what is not JSON gives the guest a failure", async () => {
    const crm = waitingService("crm", "find");
    const t = await setUp({ services: [crm.service] });
    const call = await t.call("find");
    crm.calls[0]?.answer({ resultJson: "undefined" });
    await vi.waitFor(() =>
      expect(t.answerTo(call)).toMatchObject({ error: { kind: "invalid_result" } }),
    );
  });

  it("that breaks in a way that it must not loses the execution, not the call's guest alone", async () => {
    const broken = new Error("a fault of ours");
    const service = {
      name: "crm",
      tools: async () => [toolOf("find")],
      call: () => Promise.reject(broken),
    };
    const t = await setUp({ services: [service] });
    await t.call("find");
    await vi.waitFor(() => expect(t.faults).toEqual([broken]));
  });
});

describe("a budget", () => {
  it("of calls counts refused ones, and stops the program at the first too many", async () => {
    const t = await setUp({ inline, limits: { toolCalls: 2 } });
    await t.call("weather");
    await t.call("unknown");
    expect(t.stops).toEqual([]);
    await t.call("weather");
    expect(t.stops).toMatchObject([
      { reason: "tool_budget", message: "the program made more than 2 tool calls" },
    ]);
    expect(t.log.filter(({ type }) => type === "tool_call")).toHaveLength(2);
    expect(t.bridge.count).toBe(3);
  });

  it("of open calls stops the program, and is free again when one is answered", async () => {
    const t = await setUp({ inline, limits: { openToolCalls: 2 } });
    await t.call("weather");
    await t.call("weather");
    t.bridge.deliver({ callId: "1", resultJson: "1" });
    await t.call("weather");
    expect(t.stops).toEqual([]);
    await t.call("weather");
    expect(t.stops).toMatchObject([
      { reason: "tool_budget", message: "the program had more than 2 tool calls open at once" },
    ]);
  });

  it("of bytes counts calls and results together", async () => {
    // "/1", "weather" and what every call costs are 265 bytes.
    const t = await setUp({ inline, payloads: { totalPayloadBytes: 365 } });
    await t.call("weather", `{"a":"${"x".repeat(42)}"}`);
    t.bridge.deliver({ callId: "1", resultJson: `"${"y".repeat(48)}"` });
    expect(t.stops).toEqual([]);
    await t.call("weather");
    expect(t.stops).toMatchObject([
      {
        reason: "tool_budget",
        message: "the program moved more than 365 bytes through tool calls",
      },
    ]);
  });
});

it("loses the execution when an answer cannot be written", async () => {
  const full = new Error("disk full");
  const t = await setUp({
    inline,
    append: async ({ type }) => {
      if (type === "tool_result") throw full;
    },
  });
  await t.call("weather");
  t.bridge.deliver({ callId: "1", resultJson: "1" });
  await vi.waitFor(() => expect(t.faults).toEqual([full]));
  expect(t.delivered).toEqual([]);
});
