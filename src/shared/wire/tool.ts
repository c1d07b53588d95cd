import { create } from "@bufbuild/protobuf";
import {
  type ToolCall as ToolCallMessage,
  ToolCallSchema,
  type ToolDeclaration as ToolDeclarationMessage,
  ToolDeclarationSchema,
  type ToolResult as ToolResultMessage,
  ToolResultSchema,
} from "../../../gen/es/codemode/v1/tool_pb.ts";
import type { ToolAnswer, ToolCall, ToolDeclaration, ToolResult } from "../model.ts";
import { forms, toolFailureKinds } from "./enums.ts";

/** A tool declaration to its message. */
export function toToolDeclarationMessage(tool: ToolDeclaration): ToolDeclarationMessage {
  return create(ToolDeclarationSchema, { ...tool, callForm: forms.toWire(tool.callForm) });
}

/** A message to a tool declaration. */
export function fromToolDeclarationMessage(message: ToolDeclarationMessage): ToolDeclaration {
  const { name, description, inputSchemaJson, outputSchemaJson, readOnly, idempotent } = message;
  const callForm = forms.fromWire(message.callForm) ?? "auto";
  return { name, description, inputSchemaJson, outputSchemaJson, callForm, readOnly, idempotent };
}

/** A tool call to its message. */
export function toToolCallMessage(call: ToolCall): ToolCallMessage {
  const { callId, callKey, tool, argumentsJson, argumentsOmitted = false } = call;
  return create(ToolCallSchema, { callId, callKey, tool, argumentsJson, argumentsOmitted });
}

/** A message to a tool call. */
export function fromToolCallMessage(message: ToolCallMessage): ToolCall {
  const { callId, callKey, tool, argumentsJson, argumentsOmitted } = message;
  return { callId, callKey, tool, argumentsJson, ...(argumentsOmitted && { argumentsOmitted }) };
}

/** A tool result to its message. */
export function toToolResultMessage(result: ToolResult): ToolResultMessage {
  const { callId } = result;
  if ("resultJson" in result) {
    return create(ToolResultSchema, {
      callId,
      result: { case: "resultJson", value: result.resultJson },
      resultOmitted: result.resultOmitted ?? false,
    });
  }
  const { kind, type, message } = result.error;
  return create(ToolResultSchema, {
    callId,
    result: { case: "error", value: { kind: toolFailureKinds.toWire(kind), type, message } },
  });
}

/** A message to a tool result; undefined when it holds neither a value nor an error. */
export function fromToolResultMessage(message: ToolResultMessage): ToolResult | undefined {
  const { callId, resultOmitted } = message;
  const answer = fromAnswerArm(message.result);
  return answer && { callId, ...answer, ...(resultOmitted && { resultOmitted }) };
}

/** The value or error of an answer; undefined when it holds neither. */
export function fromAnswerArm(result: ToolResultMessage["result"]): ToolAnswer | undefined {
  switch (result.case) {
    case "resultJson":
      return { resultJson: result.value };
    case "error": {
      const { type, message } = result.value;
      const kind = toolFailureKinds.fromWire(result.value.kind) ?? "exception";
      return { error: { kind, type, message } };
    }
    case undefined:
      return undefined;
  }
}
