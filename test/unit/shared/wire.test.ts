import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  ExecutionEventSchema,
  ExecutionSchema,
  LimitsSchema,
  OutcomeSchema,
} from "../../../gen/es/codemode/v1/execution_pb.ts";
import { GetServerInfoResponseSchema } from "../../../gen/es/codemode/v1/executor_pb.ts";
import { ToolDeclarationSchema, ToolResultSchema } from "../../../gen/es/codemode/v1/tool_pb.ts";
import type {
  EventBody,
  Execution,
  ExecutionEvent,
  FailureReason,
  Limits,
  Outcome,
  ServerInfo,
  ToolFailure,
  ToolResult,
} from "../../../src/shared/model.ts";
import { fromEventMessage, toEventMessage } from "../../../src/shared/wire/event.ts";
import { fromExecutionMessage, toExecutionMessage } from "../../../src/shared/wire/execution.ts";
import { fromLimitsMessage, toLimitsMessage } from "../../../src/shared/wire/limits.ts";
import { fromOutcomeMessage, toOutcomeMessage } from "../../../src/shared/wire/outcome.ts";
import {
  fromServerInfoMessage,
  toServerInfoMessage,
} from "../../../src/shared/wire/server-info.ts";
import { fromDuration, toDuration } from "../../../src/shared/wire/time.ts";
import {
  fromToolDeclarationMessage,
  fromToolResultMessage,
  toToolDeclarationMessage,
  toToolResultMessage,
} from "../../../src/shared/wire/tool.ts";

const usage = { wallMs: 12.5, cpuMs: 3.25, peakMemoryBytes: 2 ** 33, outputBytes: 7, toolCalls: 2 };
const plain = { conversions: [], notes: [] };
const completed: Outcome = {
  status: "completed",
  value: {
    json: "9007199254740993",
    text: "9007199254740993",
    type: "int",
    conversions: [{ path: "$.day", type: "date" }],
    notes: ["a note"],
  },
  usage,
  isolationTier: "T2",
  engine: "cpython",
  warnings: ["weak"],
};
const failedWith = (reason: FailureReason): Outcome => ({
  status: "failed",
  error: { reason, type: "ZeroDivisionError", message: "division", traceback: "line 1", line: 1 },
  usage,
  isolationTier: undefined,
  engine: "",
  warnings: [],
});
const limits: Limits = {
  wallMs: 30_000.5,
  activeMs: 1,
  waitMs: 60_000,
  memoryBytes: 2 ** 40,
  outputBytes: 1,
  toolCalls: 2,
  openToolCalls: 3,
  threads: 4,
};

const bodies: EventBody[] = [
  {
    type: "started",
    seed: 2n ** 64n - 1n,
    engine: "cpython",
    instanceId: "i",
    executionId: "i-1",
    correlationId: "c",
    language: "python",
    isolationTier: "T3",
  },
  { type: "output", channel: "stdout", text: "é😀\n" },
  { type: "output", channel: "stderr", text: "" },
  { type: "tool_call", callId: "1", callKey: "/0", tool: "weather", argumentsJson: '{"a":1}' },
  {
    type: "tool_call",
    callId: "1",
    callKey: "/0",
    tool: "weather",
    argumentsJson: "",
    argumentsOmitted: true,
  },
  { type: "tool_result", callId: "1", resultJson: "null" },
  { type: "tool_result", callId: "1", resultJson: "", resultOmitted: true },
  {
    type: "tool_result",
    callId: "1",
    error: { kind: "timeout", type: "TimeoutError", message: "slow" },
  },
  { type: "finished", outcome: completed },
  { type: "trimmed", firstSequence: 2, omittedBytes: 5_000_000 },
  { type: "tool_host_changed", host: 3 },
];

describe("events", () => {
  it.each(bodies)("carries $type over the wire and back (%#)", (body) => {
    const event: ExecutionEvent = { ...body, sequence: 3, time: new Date(1_234.0), attempt: 1 };
    const bytes = toBinary(ExecutionEventSchema, toEventMessage(event));
    expect(fromEventMessage(fromBinary(ExecutionEventSchema, bytes))).toEqual(event);
  });

  it("skips an arm that this version does not know", () => {
    expect(fromEventMessage(create(ExecutionEventSchema, { sequence: 1n }))).toBeUndefined();
  });
});

describe("outcomes", () => {
  const reasons: FailureReason[] = [
    "exception",
    "syntax",
    "type_check",
    "memory",
    "timeout",
    "output_limit",
    "tool_budget",
    "cancelled",
    "abandoned",
    "crashed",
  ];
  it.each([
    completed,
    { ...completed, value: { json: undefined, text: "<object>", type: "object", ...plain } },
    ...reasons.map(failedWith),
  ] satisfies Outcome[])("keeps every field (%#)", (outcome) => {
    const bytes = toBinary(OutcomeSchema, toOutcomeMessage(outcome));
    expect(fromOutcomeMessage(fromBinary(OutcomeSchema, bytes))).toEqual(outcome);
  });

  it("tells an empty JSON text from none", () => {
    const empty: Outcome = { ...completed, value: { json: "", text: "", type: "str", ...plain } };
    expect(fromOutcomeMessage(toOutcomeMessage(empty))).toEqual(empty);
  });

  it("takes measured numbers that are not whole", () => {
    const measured = { ...completed, usage: { ...usage, peakMemoryBytes: 10.6 } };
    expect(toOutcomeMessage(measured).usage?.peakMemoryBytes).toBe(11n);
  });

  it("reads an outcome without a result, or with a reason of a later version, as crashed", () => {
    const crashed = { status: "failed", error: { reason: "crashed" } };
    expect(fromOutcomeMessage(create(OutcomeSchema))).toMatchObject(crashed);
    const later = create(OutcomeSchema, {
      result: { case: "failure", value: { reason: 99 as never, message: "new" } },
    });
    expect(fromOutcomeMessage(later)).toMatchObject({
      error: { reason: "crashed", message: "new" },
    });
  });
});

describe("executions", () => {
  const queued: Execution = {
    executionId: "i-1",
    state: "queued",
    outcome: undefined,
    correlationId: "c",
    instanceId: "i",
    language: "python",
    createTime: new Date(1_000),
    startTime: undefined,
    endTime: undefined,
    requestId: "r",
    lastSequence: 7,
  };
  it.each([
    queued,
    { ...queued, state: "running", startTime: new Date(2_000) },
    {
      ...queued,
      state: "finished",
      outcome: completed,
      startTime: new Date(2_000),
      endTime: new Date(3_000),
    },
  ] satisfies Execution[])("keeps $state", (execution) => {
    const bytes = toBinary(ExecutionSchema, toExecutionMessage(execution));
    expect(fromExecutionMessage(fromBinary(ExecutionSchema, bytes))).toEqual(execution);
  });
});

describe("limits", () => {
  it("keeps every field", () => {
    const bytes = toBinary(LimitsSchema, toLimitsMessage(limits));
    expect(fromLimitsMessage(fromBinary(LimitsSchema, bytes))).toEqual(limits);
  });

  it("leaves absent what was not set", () => {
    expect(fromLimitsMessage(toLimitsMessage({ wallMs: 5 }))).toEqual({ wallMs: 5 });
    expect(fromLimitsMessage(undefined)).toEqual({});
  });
});

describe("durations", () => {
  it.each([0, 0.001, 1, 999.999999, 1_000, 1_500.25, 86_400_000])("keeps %d ms", (ms) => {
    const { seconds = 0n, nanos = 0 } = toDuration(ms);
    expect(fromDuration({ $typeName: "google.protobuf.Duration", seconds, nanos })).toBe(ms);
  });

  it("carries a second that rounding has filled", () => {
    expect(toDuration(999.9999999)).toEqual({ seconds: 1n, nanos: 0 });
  });
});

describe("tools", () => {
  const kinds: ToolFailure["kind"][] = [
    "exception",
    "invalid_arguments",
    "invalid_result",
    "not_granted",
    "timeout",
    "cancelled",
    "unavailable",
  ];
  it.each<ToolResult>([
    { callId: "1", resultJson: "" },
    ...kinds.map((kind) => ({ callId: "1", error: { kind, type: "T", message: "m" } })),
  ])("keeps a result (%#)", (result) => {
    const bytes = toBinary(ToolResultSchema, toToolResultMessage(result));
    expect(fromToolResultMessage(fromBinary(ToolResultSchema, bytes))).toEqual(result);
  });

  it("gives nothing for a result that holds neither value nor error", () => {
    expect(fromToolResultMessage(create(ToolResultSchema, { callId: "1" }))).toBeUndefined();
  });

  it.each(["auto", "sync", "async"] as const)("keeps a declaration of the form %s", (callForm) => {
    const tool = {
      name: "weather",
      description: "d",
      inputSchemaJson: "{}",
      outputSchemaJson: "",
      callForm,
      readOnly: true,
      idempotent: false,
    };
    const bytes = toBinary(ToolDeclarationSchema, toToolDeclarationMessage(tool));
    expect(fromToolDeclarationMessage(fromBinary(ToolDeclarationSchema, bytes))).toEqual(tool);
  });
});

describe("server information", () => {
  const info: ServerInfo = {
    version: "0.1.0",
    instanceId: "i",
    engines: [
      {
        name: "cpython",
        languages: ["python"],
        up: false,
        reason: "landlock: ENOSYS",
        version: "3.11.7",
        isolationTier: undefined,
        probes: [{ name: "fork", refused: true, detail: "EPERM" }],
        warnings: ["w"],
      },
    ],
    defaultLimits: limits,
    maxLimits: { ...limits, toolCalls: 0 },
    maxCodeBytes: 1_048_576,
    maxKeepWithoutReaderMs: 600_000,
    requiredIsolationTier: "T2",
    queueTimeoutMs: 5_000,
  };
  it("keeps every field, a limit of nothing included", () => {
    const bytes = toBinary(GetServerInfoResponseSchema, toServerInfoMessage(info));
    expect(fromServerInfoMessage(fromBinary(GetServerInfoResponseSchema, bytes))).toEqual(info);
  });
});
