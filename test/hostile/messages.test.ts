import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { bomb, compressed } from "../support/attacks.ts";
import { envelope } from "../support/client.ts";
import { connectCaller } from "../support/http2-caller.ts";
import { callHeaders } from "../support/raw-http2.ts";
import { hostile, keys, startTarget, type Target } from "./support/target.ts";

const MiB = 1024 * 1024;
let target: Target;

beforeAll(async () => {
  target = await startTarget({ receive_ms: 5_000 });
});

afterAll(async () => {
  expect(target.peakBytes()).toBeLessThan(768 * MiB);
  await target[Symbol.asyncDispose]();
});

const execute = callHeaders("Execute", hostile);
const gzipped = { ...execute, "grpc-encoding": "gzip" };
const valid = toBinary(
  ExecuteRequestSchema,
  create(ExecuteRequestSchema, { request: { code: "one" } }),
);
/** Protobuf that is `depth` messages deep: ExecuteRequest.request.context.fields["a"] and so on. */
function nested(depth: number): Uint8Array {
  const heads: Buffer[] = [];
  let length = 2;
  const wrap = (before: readonly number[]) => {
    const head = Buffer.from([...before, ...varint(length)]);
    heads.push(head);
    length += head.length;
  };
  for (let level = 0; level < depth; level += 1) {
    // Value.list_value, ListValue.values.
    wrap([0x0a]);
    wrap([0x32]);
  }
  // An entry's key before its value, fields, context, request.
  wrap([0x0a, 1, 0x61, 0x12]);
  for (const tag of [0x0a, 0x1a, 0x0a]) wrap([tag]);
  return Buffer.concat([...heads.reverse(), Buffer.from([0x08, 0])]);
}

function varint(value: number): number[] {
  const bytes = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

describe("a message", () => {
  it.each([
    ["that is too large", execute, () => envelope(Buffer.alloc(9 * MiB)), [8]],
    ["that says it is of 4 GiB", execute, () => Buffer.from([0, 255, 255, 255, 255, 1]), [8]],
    ["that is a bomb of 1 GiB", gzipped, () => compressed(bomb()), [8]],
    ["whose compression is broken", gzipped, () => compressed(Buffer.from("not gzip")), [3, 13]],
    [
      "whose compression is cut off",
      gzipped,
      () => compressed(gzipSync(valid).subarray(0, 12)),
      [3, 13],
    ],
    ["whose compression nobody named", execute, () => compressed(gzipSync(valid)), [13]],
    [
      "whose compression nobody knows",
      { ...execute, "grpc-encoding": "zip" },
      () => compressed(valid),
      [12],
    ],
    ["that is cut off", execute, () => envelope(valid).subarray(0, 7), [3]],
    ["whose head is cut off", execute, () => Buffer.from([0, 0]), [3]],
    ["that does not come", execute, () => Buffer.alloc(0), [12]],
    ["that comes twice", execute, () => Buffer.concat([envelope(valid), envelope(valid)]), [12]],
    ["that is no protobuf", execute, () => envelope(Buffer.alloc(64, 0xff)), [13]],
    [
      "with text that is no UTF-8",
      execute,
      () => envelope(Buffer.from([0x0a, 4, 0x0a, 2, 0xc3, 0x28])),
      [3, 13],
    ],
    ["that is 200,000 messages deep", execute, () => envelope(nested(100_000)), [3, 13]],
    ["of a context that is deep", execute, () => envelope(nested(90)), [3, 13]],
  ])("%s is refused", async (_title, headers, make, expected) => {
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const { grpcStatus } = await caller.call(headers, make());
      expect(expected).toContain(grpcStatus);
      // The connection is as good as before.
      expect((await caller.call(execute, envelope(valid))).grpcStatus).toBe(0);
    });
  });

  it("that unfolds to the most that is allowed may come 200 times at once", async () => {
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const body = compressed(gzipSync(Buffer.alloc(7.5 * MiB)));
      const answers = await Promise.all(
        Array.from({ length: 200 }, () => caller.call(gzipped, body)),
      );
      expect(new Set(answers.map(({ grpcStatus }) => grpcStatus))).toEqual(new Set([13]));
    });
  });
});

describe("large compressed messages", () => {
  const folded = gzipSync(Buffer.alloc(7.5 * MiB));
  const connectHeaders = { "content-type": "application/proto", "content-encoding": "gzip" };
  const health = { ":path": "/grpc.health.v1.Health/Check", "grpc-encoding": "gzip" };
  const many = 40;

  it.each([
    ["of a tenant, over gRPC,", gzipped, compressed(folded), 1],
    ["of a tenant, over Connect,", { ...execute, ...connectHeaders }, folded, 1],
    [
      "of a tenant, in streams,",
      { ...gzipped, ...callHeaders("ExecuteInteractive", hostile) },
      compressed(folded),
      1,
    ],
    [
      "of strangers, each on a connection of its own,",
      { ...callHeaders("Check"), ...health },
      compressed(folded),
      many,
    ],
  ])("%s leave others their turn", async (_who, headers, body, connections) => {
    await target.attack(async () => {
      using crowd = new DisposableStack();
      const callers = Array.from({ length: connections }, () =>
        crowd.use(connectCaller(target.url)),
      );
      let answered = 0;
      const first = Promise.withResolvers<void>();
      for (let call = 0; call < many; call += 1) {
        // Those that are not answered in time end with their connections.
        callers[call % connections]?.call(headers, body).then(
          () => {
            answered += 1;
            first.resolve();
          },
          () => {},
        );
      }
      await first.promise;
      using good = connectCaller(target.url);
      const goodHeaders = callHeaders("Execute", { authorization: `Bearer ${keys.good}` });
      await good.call({ ...goodHeaders, "grpc-encoding": "gzip" }, compressed(folded));
      expect(answered).toBeLessThan(many / 4);
    });
  });
});

it.each(["[", "localhost:99999"])(
  "an authority that is none (%j) is answered",
  async (authority) => {
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const headers = { ...execute, ":authority": authority };
      expect((await caller.call(headers, envelope(valid))).status).toBe(400);
      // The connection is as good as before.
      expect((await caller.call(execute, envelope(valid))).grpcStatus).toBe(0);
    });
  },
);

describe("a content type", () => {
  it.each([
    "text/html",
    "application/grpc+json; charset=latin1",
    "application/grpc+thrift",
    "application/grpc-web-text",
    "application/connect+proto",
    "application/json",
    "application/proto",
    "multipart/form-data; boundary=x",
    "application/grpc\u0001",
    "",
    "a".repeat(8_000),
  ])("that is wrong for its body (%j) is answered", async (type) => {
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const headers = { ...execute, "content-type": type };
      for (const body of [envelope(valid), Buffer.from("{"), Buffer.alloc(0)]) {
        const { status } = await caller
          .call(headers, body)
          // Node's client itself refuses to send what is no header.
          .catch((error: { code?: string }) => ({ status: error.code }));
        expect(
          status === "ERR_INVALID_CHAR" || (Number(status) >= 200 && Number(status) <= 500),
        ).toBe(true);
      }
    });
  });

  it("of JSON that is 100,000 lists deep is refused", async () => {
    await target.attack(async () => {
      using caller = connectCaller(target.url);
      const headers = { ...execute, "content-type": "application/json" };
      const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
      const body = Buffer.from(`{"request":{"code":"one","context":{"a":${deep}}}}`);
      expect((await caller.call(headers, body)).status).toBe(400);
    });
  });
});
