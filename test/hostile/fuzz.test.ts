import {
  create,
  type DescMessage,
  type DescMethod,
  fromBinary,
  toBinary,
  toJsonString,
} from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ExecutionRequestSchema } from "../../gen/es/codemode/v1/execution_pb.ts";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { Health } from "../../gen/es/health/v1/health_pb.ts";
import { envelope } from "../support/client.ts";
import { type Caller, connectCaller } from "../support/http2-caller.ts";
import { randomOf } from "../support/random.ts";
import { randomMessage, upTo } from "../support/random-message.ts";
import { callHeaders } from "../support/raw-http2.ts";
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

/** All that can be called, of every service; a watch without end is ended by its deadline. */
const methods = [ExecutorService, Health].flatMap(({ methods }) => methods);
const words = [
  "one",
  "heavy",
  "python",
  "fuzz-1",
  "tool",
  '{"a":[1]}',
  "0.5s",
  "00000000-0000-4000",
];

/** An ExecutionRequest with something in most fields, which is admitted as it is. */
const full = create(ExecutionRequestSchema, {
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
});

/** A message of a method: one that starts a program is in half of the cases one that is admitted. */
function messageFor({ input }: DescMethod, random: Random): Uint8Array {
  const holder = [input, ...input.fields.flatMap(({ message }) => message ?? [])].find(
    ({ fields }) => fields.some(({ message }) => message?.typeName === full.$typeName),
  );
  if (holder === undefined || random() < 0.5) return randomMessage(input, { random, words });
  const request = toBinary(ExecutionRequestSchema, full);
  const inner = wrapIn(holder, full.$typeName, request);
  return holder === input ? inner : wrapIn(input, holder.typeName, inner);
}

/** A message whose only field is its first of a type. */
function wrapIn({ fields }: DescMessage, typeName: string, inner: Uint8Array): Uint8Array {
  const field = fields.find(({ message }) => message?.typeName === typeName);
  return new BinaryWriter()
    .tag(field?.number ?? 1, WireType.LengthDelimited)
    .bytes(inner)
    .finish();
}

/** Content types of a method, by how its messages are wrapped. */
const enveloped = ["application/grpc", "application/grpc-web+proto", "application/connect+proto"];
const bare = ["application/proto", "application/json"];

type Random = () => number;
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

/** The request of a number: a message of some method as it should be, and mostly then changed. */
function requestOf(number: number) {
  const random = randomOf(seed + number);
  const method = methods[number % methods.length];
  if (method === undefined) throw new Error("there is no method");
  const isUnary = method.methodKind === "unary";
  const types = isUnary && random() < 0.3 ? bare : enveloped.slice(0, isUnary ? 2 : 3);
  // Most as gRPC, which most callers speak.
  const type = (random() < 0.4 ? undefined : types[upTo(random, types.length)]) ?? types[0] ?? "";
  const messages = Array.from({ length: isUnary ? 1 : 1 + upTo(random, 3) }, () =>
    messageFor(method, random),
  );
  const isEnveloped = enveloped.includes(type);
  let bytes: Buffer = Buffer.concat(messages.map((message) => wrapped(message, { type, method })));
  for (let changes = upTo(random, 4); changes > 0 && bytes.length > 0; changes -= 1)
    bytes = mutate(bytes, random);
  // What is inside is read only where the envelope around it is right.
  const isMended = isEnveloped && bytes.length > 5 && random() < 0.8;
  return {
    method,
    type,
    bytes: isMended && isUnary ? Buffer.from(envelope(bytes.subarray(5))) : bytes,
  };
}

/** A message as a content type wants it. */
function wrapped(
  message: Uint8Array,
  { type, method }: { readonly type: string; readonly method: DescMethod },
): Buffer {
  if (enveloped.includes(type)) return Buffer.from(envelope(message));
  if (type !== "application/json") return Buffer.from(message);
  try {
    return Buffer.from(toJsonString(method.input, fromBinary(method.input, message)));
  } catch {
    // JSON has no form for some of its values, such as a duration of 300,000 years.
    return Buffer.from("{}");
  }
}

async function send(caller: Caller, number: number): Promise<string> {
  const { method, type, bytes } = requestOf(number);
  const headers = {
    ...callHeaders(method.name, hostile),
    ":path": `/${method.parent.typeName}/${method.name}`,
    "content-type": type,
    ...(method === Health.method.watch
      ? { "grpc-timeout": "100m", "connect-timeout-ms": "100" }
      : {}),
  };
  const answer = await caller.call(headers, bytes).catch((cause: unknown) => {
    const what = `${number} to ${method.name} (${type}, ${bytes.toString("base64")})`;
    throw new Error(`request ${what} was not answered`, { cause });
  });
  const outcome =
    type === "application/grpc" ? `grpc ${answer.grpcStatus}` : `http ${answer.status}`;
  return `${method.name}: ${outcome}`;
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
    const sumOf = (pattern: RegExp) =>
      outcomes.entries().reduce((sum, [name, count]) => sum + (pattern.test(name) ? count : 0), 0);
    expect(sumOf(/./)).toBe(requests);
    // Some were as they should be, or changed where it does not matter; the others were refused for what
    // they are. Only a watch ends by its deadline, and a tool host that goes by its own cancellation.
    const known = [
      /: grpc (?:0|3|5|6|8|11|12|13)$/,
      /: http (?:200|400|404|409|415|429|500|501)$/,
      /^Watch: (?:grpc 4|http 408|http 504)$/,
      /^ExecuteInteractive: grpc 1$/,
    ];
    const isKnown = (outcome: string) => known.some((pattern) => pattern.test(outcome));
    expect([...outcomes.keys()].filter((outcome) => !isKnown(outcome))).toEqual([]);
    for (const { name } of methods) expect(sumOf(new RegExp(`^${name}: `))).toBeGreaterThan(700);
    expect(sumOf(/^Execute: grpc 0/)).toBeGreaterThan(20);
    expect(sumOf(/: grpc 0/)).toBeGreaterThan(300);
    expect(sumOf(/: grpc 3/)).toBeGreaterThan(300);
  });
});
