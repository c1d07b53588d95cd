import { once } from "node:events";
import type { ServerHttp2Session } from "node:http2";
import { expect, it, onTestFinished, vi } from "vitest";
import { createConnection } from "../../src/sdk/transport.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { startScriptedService } from "./support/scripted-service.ts";

// Only the clock of pings is the test's own: what is sent is really sent.
const toFake = ["setTimeout", "clearTimeout", "performance"] as const;

it.each(["grpc", "connect", "grpc-web"] as const)(
  "a connection of the SDK that is dead costs a call at most 5 s, after a ping that was answered too, over %s",
  async (protocol) => {
    const arrived = Promise.withResolvers<ServerHttp2Session>();
    await using service = await startScriptedService(
      {
        execute: () => new Promise<never>(() => {}),
        cancelExecution: () => ({}),
      },
      {
        intercept({ session }, method) {
          if (method === "Execute" && session !== undefined)
            arrived.resolve(session as ServerHttp2Session);
          return false;
        },
      },
    );
    await using proxy = await startCuttingProxy(service.url);
    vi.useFakeTimers({ toFake: [...toFake] });
    onTestFinished(() => void vi.useRealTimers());
    const options = { url: proxy.url, protocol, httpVersion: "2", tls: {} } as const;
    const { client, close } = createConnection(options);
    onTestFinished(close);
    const call = client.execute({}).catch((error: unknown) => ({ error, at: performance.now() }));
    const session = await arrived.promise;
    const pinged = once(session, "ping");
    await vi.advanceTimersByTimeAsync(2_000);
    await pinged;
    // An answer that comes after the ping's: the client has both.
    await client.cancelExecution({});

    using _stall = proxy.stall();
    const died = performance.now();
    await vi.advanceTimersByTimeAsync(5_000);
    // The test's clock stands still now: a call that is not over by then never is.
    const { error, at } = (await call) as { error: unknown; at: number };
    expect(String(error)).toContain("PING timed out");
    expect(at - died).toBeLessThanOrEqual(5_000);
  },
);
