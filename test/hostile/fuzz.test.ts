import { create, toBinary, toJsonString } from "@bufbuild/protobuf";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ExecuteRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { envelope } from "../support/client.ts";
import { randomOf } from "../support/random.ts";
import { callHeaders } from "../support/raw-http2.ts";
import { type Caller, connectCaller } from "./support/calls.ts";
import { hostile, startTarget, type Target } from "./support/target.ts";

const MiB = 1024 * 1024;
const requests = 10_000;
// A failure names the request; the same seed makes it again.
const seed = 20_261_122;
let target: Target;

beforeAll(async () => {
  target = await startTarget();
});

afterAll(async () => {
  expect(target.peakBytes()).toBeLessThan(512 * MiB);
  await target[Symbol.asyncDispose]();
});

/** A request with something in every field. */
const full = create(ExecuteRequestSchema, {
  request: {
    code: "one",
    language: "python",
    context: { tenant: "acme", deep: { list: [1, 2.5, null, true, "text"] } },
    config: { retries: 3 },
    limits: {
      wallTimeout: { seconds: 5n, nanos: 500_000_000 },
      activeTimeout: { seconds: 5n },
      waitTimeout: { seconds: 5n },
      memoryBytes: 1_000_000n,
      outputBytes: 1_000_000n,
      toolCalls: 10,
      openToolCalls: 5,
      threads: 2,
    },
    correlationId: "fuzz-1",
    keepWithoutReader: { seconds: 1n },
  },
});

/** What a request is sent as: headers and a body that was right before it was changed. */
const forms = [
  { type: "application/grpc", body: envelope(toBinary(ExecuteRequestSchema, full)) },
  { type: "application/proto", body: toBinary(ExecuteRequestSchema, full) },
  { type: "application/json", body: Buffer.from(toJsonString(ExecuteRequestSchema, full)) },
] as const;

type Random = () => number;
const upTo = (random: Random, most: number) => Math.floor(random() * most);
/** Numbers at which lengths, tags and counts go wrong. */
const edges = [0, 1, 0x7f, 0x80, 0xff, 0x08, 0x0a, 0x12, 0x22, 0x5b, 0x7b, 0x00];

/** One small change of a message, chosen by chance. */
function mutate(bytes: Buffer, random: Random): Buffer {
  const at = upTo(random, bytes.length);
  const length = 1 + upTo(random, 12);
  const head = bytes.subarray(0, at);
  const piece = bytes.subarray(at, at + length);
  const tail = bytes.subarray(at + length);
  const noise = Buffer.from(Array.from({ length }, () => upTo(random, 256)));
  const changed = Buffer.from(bytes);
  switch (upTo(random, 8)) {
    case 0:
      changed[at] = (changed[at] ?? 0) ^ (1 << upTo(random, 8));
      return changed;
    case 1:
      changed[at] = edges[upTo(random, edges.length)] ?? 0;
      return changed;
    case 2:
      return Buffer.concat([head, tail]);
    case 3:
      return Buffer.concat([head, piece, piece, tail]);
    case 4:
      return Buffer.concat([head, noise, tail]);
    case 5:
      return Buffer.concat([head, noise, piece, tail]);
    case 6:
      return head;
    default:
      return Buffer.concat([tail, head]);
  }
}

/** The request of a number: one of the forms, a few times changed, and now and then wrapped right. */
function requestOf(number: number) {
  const random = randomOf(seed + number);
  const { type, body } = forms[upTo(random, 10) < 6 ? 0 : 1 + upTo(random, 2)] ?? forms[0];
  let bytes: Buffer = Buffer.from(body);
  for (let changes = 1 + upTo(random, 4); changes > 0 && bytes.length > 0; changes -= 1)
    bytes = mutate(bytes, random);
  // What is inside is read only where the envelope around it is right.
  const isWrapped = type === "application/grpc" && bytes.length > 5 && random() < 0.8;
  return { type, bytes: isWrapped ? Buffer.from(envelope(bytes.subarray(5))) : bytes };
}

async function send(caller: Caller, number: number): Promise<string> {
  const { type, bytes } = requestOf(number);
  const headers = { ...callHeaders("Execute", hostile), "content-type": type };
  const answer = await caller.call(headers, bytes).catch((cause: unknown) => {
    throw new Error(`request ${number} (${bytes.toString("base64")}) was not answered`, { cause });
  });
  return type === "application/grpc" ? `grpc ${answer.grpcStatus}` : `http ${answer.status}`;
}

it(`answers ${requests} requests that were made wrong, each in its own way`, async () => {
  await target.attack(async () => {
    using caller = connectCaller(target.url);
    const outcomes = new Map<string, number>();
    let next = 0;
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        while (next < requests) {
          const number = next;
          next += 1;
          const outcome = await send(caller, number);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
        }
      }),
    );
    expect([...outcomes.values()].reduce((sum, count) => sum + count)).toBe(requests);
    // Some were changed where it does not matter; of the others each was refused for what it is.
    const refusals = ["grpc 3", "grpc 8", "grpc 12", "grpc 13", "http 400", "http 429", "http 500"];
    expect(
      [...outcomes.keys()].filter(
        (outcome) => !["grpc 0", "http 200"].includes(outcome) && !refusals.includes(outcome),
      ),
    ).toEqual([]);
    expect(outcomes.get("grpc 0")).toBeGreaterThan(100);
    expect(outcomes.get("grpc 3")).toBeGreaterThan(100);
  });
});
