import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { AttachedSchema } from "../../../gen/es/codemode/v1/executor_pb.ts";
import type { Attached } from "../../../src/shared/model.ts";
import { fromAttachedMessage, toAttachedMessages } from "../../../src/shared/wire/attached.ts";

describe("where a log stood", () => {
  const call = { callId: "1", callKey: "/0", tool: "weather", argumentsJson: '{"a":1}' };
  it.each([
    { lastSequence: 0, openCalls: [] },
    { lastSequence: 2 ** 52, openCalls: [call, { ...call, callId: "2" }] },
  ] satisfies Attached[])("crosses the wire and comes back (%#)", (attached) => {
    const [first] = toAttachedMessages(attached);
    const bytes = toBinary(AttachedSchema, create(AttachedSchema, first?.attached));
    expect(fromAttachedMessage(fromBinary(AttachedSchema, bytes))).toEqual(attached);
  });

  it("says how many calls are open, and has them in messages below 3 MiB, in their order", () => {
    const large = { ...call, argumentsJson: JSON.stringify({ a: "x".repeat(2 ** 20) }) };
    const openCalls = Array.from({ length: 7 }, (_, n) => ({ ...large, callId: String(n) }));
    const messages = toAttachedMessages({ lastSequence: 1, openCalls });
    expect(messages.map(({ openCalls = [] }) => openCalls.length)).toEqual([0, 2, 2, 1]);
    expect(messages[0]?.attached).toMatchObject({ openCallCount: 7, openCalls: [{}, {}] });
    const all = messages.flatMap((each) => [
      ...(each.attached?.openCalls ?? []),
      ...(each.openCalls ?? []),
    ]);
    expect(all.map(({ callId }) => callId)).toEqual(openCalls.map(({ callId }) => callId));
  });
});
