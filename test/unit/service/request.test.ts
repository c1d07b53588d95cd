import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ExecutionRequestSchema } from "../../../gen/es/codemode/v1/execution_pb.ts";
import { parseExecutionRequest, type RequestBounds } from "../../../src/service/request.ts";
import { CodemodeError } from "../../../src/shared/errors.ts";
import { stringifyJson } from "../../../src/shared/json.ts";
import { roomyLimits } from "../../support/requests.ts";

const bounds: RequestBounds = {
  defaultLimits: { ...roomyLimits, wallMs: 30_000, threads: 8 },
  maxLimits: { ...roomyLimits, wallMs: 300_000, threads: 64 },
  maxCodeBytes: 100,
  maxKeepWithoutReaderMs: 60_000,
  languages: ["python", "javascript"],
  toolServices: ["crm", "billing"],
};

type Init = MessageInitShape<typeof ExecutionRequestSchema>;

function parse(init: Init) {
  return parseExecutionRequest(create(ExecutionRequestSchema, init), bounds, "made-1");
}

function refusal(init: Init): CodemodeError {
  try {
    parse(init);
  } catch (error) {
    if (CodemodeError.is(error)) return error;
    throw error;
  }
  throw new Error("the request was taken");
}

const deep = (levels: number): object => (levels === 1 ? {} : { a: deep(levels - 1) });
const seconds = (value: number, nanos = 0) => ({ seconds: BigInt(value), nanos });

describe("a request that is taken", () => {
  it("has every field set", () => {
    expect(parse({ code: "x" })).toEqual({
      code: "x",
      unfenced: undefined,
      language: "python",
      context: {},
      config: {},
      limits: bounds.defaultLimits,
      tools: [],
      toolServices: [],
      keepWithoutReaderMs: 0,
      requestId: "",
      correlationId: "made-1",
    });
  });

  it("keeps what it asks for within the bounds, and the defaults for the rest", () => {
    const { limits } = parse({ code: "x", limits: { wallTimeout: seconds(300), threads: 64 } });
    expect(limits).toEqual({ ...bounds.defaultLimits, wallMs: 300_000, threads: 64 });
  });

  it("keeps a limit below a millisecond, which is not none", () => {
    expect(parse({ code: "x", limits: { wallTimeout: seconds(0, 1) } }).limits.wallMs).toBe(1e-6);
  });

  it("keeps how long it is to live without a reader", () => {
    const keepWithoutReader = seconds(59, 500_000);
    expect(parse({ code: "x", keepWithoutReader }).keepWithoutReaderMs).toBe(59_000.5);
  });

  it("carries the integers of its context as integers", () => {
    const { context } = parse({ code: "x", context: { id: 5, big: 2 ** 53 - 1, half: 0.5 } });
    expect(stringifyJson(context)).toBe('{"id":5,"big":9007199254740991,"half":0.5}');
  });

  it("takes variables 32 levels deep", () => {
    expect(parse({ code: "x", context: deep(32) as never }).context).toEqual(deep(32));
  });

  it("takes the inside of a fenced block, and an id of the caller's own", () => {
    const code = "```python\nx\n```";
    expect(parse({ code, correlationId: "own-1" })).toMatchObject({
      unfenced: { code: "\nx\n" },
      correlationId: "own-1",
    });
  });
});

describe("a request that is refused", () => {
  it.each<[string, Init, string]>([
    ["no code", { code: "" }, "is empty"],
    ["an empty block", { code: "```\n```" }, "is empty"],
    ["too much code, counted in bytes", { code: "é".repeat(51) }, "is 102 bytes, at most 100"],
  ])("for %s", (_what, init, description) => {
    expect(refusal(init)).toMatchObject({
      kind: "invalid_request",
      violations: [{ field: "request.code", description }],
    });
  });

  it.each<[string, Init, string]>([
    ["request.language", { language: "cobol" }, 'is "cobol", known are python, javascript'],
    ["request.context", { context: deep(33) as never }, "is nested deeper than 32 levels"],
    [
      "request.config",
      { config: { a: Number.NaN } },
      "is not JSON at $.a: NaN is not a JSON number",
    ],
    [
      "request.context",
      { context: { a: "x".repeat(65_536) } },
      "is 65544 bytes of JSON, at most 65536",
    ],
    [
      "request.limits.wall_timeout",
      { limits: { wallTimeout: seconds(301) } },
      "is 301000 ms, at most 300000 ms",
    ],
    ["request.limits.threads", { limits: { threads: 65 } }, "is 65, at most 64"],
    [
      "request.limits.memory_bytes",
      { limits: { memoryBytes: 2n ** 40n } },
      "is 1099511627776 bytes, at most 67108864 bytes",
    ],
    ["request.limits.active_timeout", { limits: { activeTimeout: seconds(-1) } }, "is negative"],
    ["request.limits.wait_timeout", { limits: { waitTimeout: seconds(1, -1) } }, "is negative"],
    [
      "request.limits.wall_timeout",
      { limits: { wallTimeout: seconds(1, 1_000_000_000) } },
      "is not a valid duration",
    ],
    [
      "request.keep_without_reader",
      { keepWithoutReader: seconds(61) },
      "is 61000 ms, at most 60000 ms",
    ],
    ["request.keep_without_reader", { keepWithoutReader: seconds(-1) }, "is negative"],
    [
      "request.request_id",
      { requestId: "a b" },
      "must be 1 to 128 characters of A-Z a-z 0-9 . _ -",
    ],
    [
      "request.correlation_id",
      { correlationId: "x".repeat(129) },
      "must be 1 to 128 characters of A-Z a-z 0-9 . _ -",
    ],
  ])("names %s (%#)", (field, init, description) => {
    expect(refusal({ code: "x", ...init })).toMatchObject({
      kind: "invalid_request",
      violations: [{ field, description }],
    });
  });

  it("is told every violation at once", () => {
    const { violations, message } = refusal({
      language: "cobol",
      limits: { wallTimeout: seconds(-1), activeTimeout: seconds(-1), toolCalls: 101 },
      correlationId: "\n",
    });
    expect(violations.map(({ field }) => field)).toEqual([
      "request.correlation_id",
      "request.code",
      "request.language",
      "request.limits.wall_timeout",
      "request.limits.active_timeout",
      "request.limits.tool_calls",
    ]);
    expect(message).toContain("request.code is empty; request.language is");
  });

  it("is refused when there is none", () => {
    expect(() => parseExecutionRequest(undefined, bounds, "c")).toThrow("request is required");
  });

  it("never repeats its code or the values of its context", () => {
    const secret = "s3cr3t";
    const error = refusal({
      code: secret.repeat(100),
      context: { key: secret.repeat(11_000) },
      config: { key: [secret, Number.NaN] },
    });
    expect(error.violations).toHaveLength(3);
    expect(JSON.stringify([error.message, error.violations])).not.toContain(secret);
  });
});
