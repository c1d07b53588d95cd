import type { HandlerContext } from "@connectrpc/connect";
import { expect, it } from "vitest";
import { HealthCheckResponse_ServingStatus as Status } from "../../../gen/es/health/v1/health_pb.ts";
import { createHealth, type Health } from "../../../src/service/health.ts";

function open(health: Health) {
  const controller = new AbortController();
  const context = { signal: controller.signal } as HandlerContext;
  const request = { service: "" } as Parameters<Health["service"]["watch"]>[0];
  const watch = health.service.watch(request, context)[Symbol.asyncIterator]();
  return { watch, cancel: () => controller.abort(new Error("cancelled")) };
}

it("keeps nothing of watches that were cancelled", async () => {
  const health = createHealth([]);
  const opened = Array.from({ length: 1000 }, () => open(health));
  const waiting = [];
  for (const { watch } of opened) {
    expect((await watch.next()).value).toMatchObject({ status: Status.SERVING });
    waiting.push(watch.next().catch((error: Error) => error.message));
  }
  expect(health.watchers).toBe(1000);
  for (const { cancel } of opened) cancel();
  expect(new Set(await Promise.all(waiting))).toEqual(new Set(["cancelled"]));
  expect(health.watchers).toBe(0);
});

it("tells watches of a stop, also of one that came while they told, and ends them", async () => {
  const health = createHealth([]);
  const [waits, tells] = [open(health), open(health)];
  await waits.watch.next();
  await tells.watch.next();
  const next = waits.watch.next();
  health.stop();
  for (const told of [next, tells.watch.next()]) {
    expect((await told).value).toMatchObject({ status: Status.NOT_SERVING });
  }
  const last = waits.watch.next();
  health.close();
  for (const end of [last, tells.watch.next()]) expect(await end).toMatchObject({ done: true });
  expect(health.watchers).toBe(0);
});
