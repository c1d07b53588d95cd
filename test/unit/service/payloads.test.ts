import { describe, expect, it } from "vitest";
import { ToolPayloads } from "../../../gen/es/codemode/v1/tool_pb.ts";
import { eventView } from "../../../src/service/payloads.ts";
import type { EventBody, ExecutionEvent } from "../../../src/shared/model.ts";
import { toolOf } from "../../support/requests.ts";

const small = `"${"é".repeat(32_767)}"`;
const large = `"${"é".repeat(32_767)}x"`;
const eventOf = (body: EventBody): ExecutionEvent => ({
  ...body,
  sequence: 1,
  time: new Date(0),
  attempt: 1,
});
const callOf = (tool: string, argumentsJson: string) =>
  eventOf({ type: "tool_call", callId: "1", callKey: "/1", tool, argumentsJson });
const resultOf = (resultJson: string) => eventOf({ type: "tool_result", callId: "1", resultJson });

describe("a stream that asks for small payloads", () => {
  const view = eventView(ToolPayloads.SMALL, [toolOf("mine")]);

  it("sees those of 64 KiB, counted in bytes, and a mark in place of larger ones", () => {
    expect(view(callOf("other", small))).toMatchObject({ argumentsJson: small });
    expect(view(resultOf(small))).toEqual(resultOf(small));
    expect(view(callOf("other", large))).toEqual({
      ...callOf("other", ""),
      argumentsOmitted: true,
    });
    expect(view(resultOf(large))).toEqual({ ...resultOf(""), resultOmitted: true });
  });

  it("sees the arguments of its own tools whole, for it has to answer", () => {
    expect(view(callOf("mine", large))).toEqual(callOf("mine", large));
  });

  it("sees everything else as it is", () => {
    const output = eventOf({ type: "output", channel: "stdout", text: large });
    expect(view(output)).toBe(output);
  });
});

it.each([ToolPayloads.UNSPECIFIED, ToolPayloads.FULL])("is whole for %s", (payloads) => {
  const view = eventView(payloads, []);
  expect(view(callOf("other", large))).toEqual(callOf("other", large));
  expect(view(resultOf(large))).toEqual(resultOf(large));
});
