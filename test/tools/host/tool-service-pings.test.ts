import { once } from "node:events";
import net from "node:net";
import { pino } from "pino";
import { expect, it, onTestFinished, vi } from "vitest";
import { parseConfig } from "../../../src/server/config.ts";
import { openToolServices } from "../../../src/server/tool-services.ts";
import type { ToolService } from "../../../src/tools/tool-service.ts";
import { never } from "../../support/executions.ts";
import { startToolService } from "../../support/tool-service.ts";
import { callOf } from "./support/client.ts";

/** A tool service as the server reaches it where its settings say no more than where it is. */
async function reach(target: string): Promise<ToolService> {
  const config = parseConfig({ tool_services: { crm: { target } } });
  const services = await openToolServices(config, pino({ level: "silent" }));
  onTestFinished(() => services[Symbol.dispose]());
  const service = services.get("crm");
  if (service === undefined) throw new Error("no such service");
  return service;
}

it("a tool service gets no two pings within 5 minutes, however long a call is open", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  onTestFinished(() => void vi.useRealTimers());
  await using application = await startToolService({ call: () => new Promise(() => {}) });
  const crm = await reach(application.target);
  const arrived = application.nextCall();
  void crm.call(callOf({}, 3_600_000), never);
  await arrived;
  const session = application.connections[0]?.session;
  if (session === undefined) throw new Error("no connection");
  let pings = 0;
  session.on("ping", () => {
    pings += 1;
  });
  /** What was sent before it has come when it is answered. */
  const settle = () => crm.tools(never, { isFresh: true });

  const first = once(session, "ping");
  await vi.advanceTimersByTimeAsync(10_000);
  await first;
  await settle();
  await vi.advanceTimersByTimeAsync(299_999);
  await settle();
  expect(pings).toBe(1);
  // They do go on: by the last answer and another silence of 10 s.
  const second = once(session, "ping");
  await vi.advanceTimersByTimeAsync(10_001);
  await second;
  expect(pings).toBe(2);
  expect(application.connections).toHaveLength(1);
});

it("a tool service's connection is looked at by TCP, so that a peer that is gone is noticed within 15 s", async () => {
  await using application = await startToolService();
  const setKeepAlive = vi.spyOn(net.Socket.prototype, "setKeepAlive");
  onTestFinished(() => setKeepAlive.mockRestore());
  const crm = await reach(application.target);
  await crm.call(callOf(), never);
  const port = Number(application.target.split(":")[1]);
  const kept = setKeepAlive.mock.calls.filter(
    (_call, index) => (setKeepAlive.mock.contexts[index] as net.Socket).remotePort === port,
  );
  expect(kept).toEqual([[true, expect.any(Number)]]);
  // Node has the system send ten probes, a second apart, before it gives up.
  expect(Number(kept[0]?.[1]) + 10 * 1_000).toBeLessThanOrEqual(15_000);
});
