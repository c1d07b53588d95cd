import { create, toBinary } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import {
  changedSettings,
  continuation,
  emptyContinuation,
  flood,
  idleFrames,
  openAndReset,
  openHeaders,
  ping,
} from "../support/attacks.ts";
import { envelope } from "../support/client.ts";
import { connectCaller } from "../support/http2-caller.ts";
import {
  callHeaders,
  connectRaw,
  flags,
  frame,
  frameTypes,
  headerBlock,
  openCall,
  settings,
} from "../support/raw-http2.ts";
import { hostile, startTarget, type Target } from "./support/target.ts";

const MiB = 1024 * 1024;
const enhanceYourCalm = 11;
let target: Target;

beforeAll(async () => {
  target = await startTarget();
});

afterAll(async () => {
  expect(target.peakBytes()).toBeLessThan(512 * MiB);
  await target[Symbol.asyncDispose]();
});

describe("rapid reset", () => {
  it.each([
    ["with a key", callHeaders("Execute", hostile)],
    ["without a key", callHeaders("Execute")],
  ])("of 10,000 calls %s leaves nothing behind", async (_title, headers) => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await flood(peer, 9_900, (index) => openAndReset(index, headers));
      await peer.settle();
      expect(peer.goaway).toBeUndefined();
    });
  });

  it("begins hardly any of its calls, and so costs others little", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      const headers = callHeaders("Execute");
      const before = (await target.state()).unauthenticated;
      await flood(peer, 9_000, (index) => openAndReset(index, headers));
      await peer.settle();
      expect((await target.state()).unauthenticated - before).toBeLessThan(900);
    });
  });

  it("that goes on is ended by the service", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      const headers = callHeaders("Execute", hostile);
      await flood(peer, 200_000, (index) => openAndReset(index, headers));
      await peer.closed;
    });
  });
});

describe("headers without end", () => {
  it("in CONTINUATION frames end the connection", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await peer.send(openHeaders());
      await flood(peer, 10_000, continuation);
      await peer.closed;
    });
  });

  it("in empty CONTINUATION frames end the connection", async () => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await peer.send(openHeaders());
      await flood(peer, 100_000, emptyContinuation);
      await peer.closed;
    });
  });

  it.each([
    // A few too many are told so; far too many are reset before they are looked at.
    ["bytes", { "x-big": "c".repeat(12_000), "x-bigger": "d".repeat(24_000) }, "told"],
    ["fields", Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`x-${n}`, "e"])), "told"],
    ["bytes by far", { "x-big": "c".repeat(40_000), "x-bigger": "d".repeat(40_000) }, "reset"],
    [
      "fields by far",
      Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`x-${n}`, "e"])),
      "reset",
    ],
  ] as const)("of too many %s are refused, and the connection lives", async (_title, more, how) => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await peer.settle();
      const block = headerBlock({ ...callHeaders("Execute", hostile), ...more });
      const parts = [...Array(Math.ceil(block.length / 16_000)).keys()].map((part) =>
        block.subarray(part * 16_000, (part + 1) * 16_000),
      );
      const last = parts.length - 1;
      const frames = parts.map((payload, part) =>
        frame(part === 0 ? frameTypes.headers : frameTypes.continuation, {
          stream: 1,
          flags: part === last ? flags.endHeaders : 0,
          payload,
        }),
      );
      await peer.send(...frames);
      if (how === "told") await peer.until(({ type }) => type === frameTypes.data);
      else {
        const refusal = await peer.until(({ type }) => type === frameTypes.reset);
        expect(refusal.payload.readUInt32BE()).toBe(enhanceYourCalm);
      }
      await peer.settle();
    });
  });
});

describe("a flood", () => {
  it.each([
    ["pings", () => ping],
    ["settings", changedSettings],
  ])("of %s is borne for a while and then ends the connection", async (_title, make) => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      let borne = 0;
      // At a pace at which every single one is answered.
      while (borne < 100_000 && !peer.isClosed) {
        await flood(peer, 250, make);
        await peer.settle().catch(() => {});
        if (!peer.isClosed) borne += 250;
      }
      expect(peer.isClosed).toBe(true);
      expect(borne).toBeGreaterThanOrEqual(5_000);
    });
  });

  it("of refused calls is begun no faster than they may cost", async () => {
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const startedAt = performance.now();
      const calls = Array.from({ length: 1_000 }, () =>
        caller.call(callHeaders("Execute"), envelope(new Uint8Array(0))),
      );
      const answers = await Promise.all(calls);
      expect(new Set(answers.map(({ grpcStatus }) => grpcStatus))).toEqual(
        new Set([Code.Unauthenticated]),
      );
      // 25 come at once, and then one every 4 ms.
      expect(performance.now() - startedAt).toBeGreaterThan(3_800);
    });
  });

  it("of calls for which there is no room is begun no faster either", async () => {
    await using busy = await startTarget({ tenant_executions_per_minute: 30 });
    using caller = connectCaller(busy.url);
    const one = create(ExecuteRequestSchema, { request: { code: "one" } });
    const body = envelope(toBinary(ExecuteRequestSchema, one));
    const startedAt = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 530 }, () => caller.call(callHeaders("Execute", hostile), body)),
    );
    const refused = answers.filter(({ grpcStatus }) => grpcStatus === Code.ResourceExhausted);
    expect(refused.length).toBeGreaterThan(480);
    expect(performance.now() - startedAt).toBeGreaterThan(1_800);
  });

  it.each([
    ["pings", ping],
    ["settings", settings([4, 65_535])],
  ])("of %s whose answers nobody reads ends the connection", async (_title, bytes) => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      peer.deafen();
      await flood(peer, 200_000, () => bytes);
      await peer.closed;
    });
  });

  it.each(Object.entries(idleFrames))("of %s holds up nobody", async (_title, bytes) => {
    await target.attack(async () => {
      using peer = await connectRaw(target.port);
      await peer.send(openCall(1, callHeaders("Execute", hostile)));
      await flood(peer, 100_000, () => bytes);
      if (!peer.isClosed) await peer.settle().catch(() => peer.closed);
    });
  });
});
