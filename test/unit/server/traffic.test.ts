import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { expect, it, vi } from "vitest";
import { ExecutorService } from "../../../gen/es/codemode/v1/executor_pb.ts";
import { createTraffic } from "../../../src/server/traffic.ts";
import { Transit } from "../../../src/server/transit.ts";

it("waits for nobody to take the answer of a call that was over before it", async () => {
  vi.useFakeTimers();
  try {
    const request = new IncomingMessage(new Socket());
    const response = new ServerResponse(request);
    const transit = new Transit({ tenantBytes: 1, totalBytes: 1, tenantCalls: 1 });
    const times = { receiveMs: 1_000, sendMs: 1_000, maxDeadlineMs: 1_000 };
    const options = { times, pace: undefined, transit, maxBytes: 1_000 };
    const traffic = createTraffic(request, response, ExecutorService.method.execute, options);
    traffic.claim("acme");
    response.emit("close");
    let isFreed = false;
    const body = (async function* () {
      try {
        yield new Uint8Array(10);
      } finally {
        isFreed = true;
      }
    })();
    const sent = traffic.send({ status: 200, header: new Headers(), body });
    const pieces = sent.body?.[Symbol.asyncIterator]();
    expect(await pieces?.next()).toMatchObject({ done: true });
    expect(vi.getTimerCount()).toBe(0);
    expect(transit.bytes).toBe(0);
    // It never began, so there was nothing to free.
    expect(isFreed).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
