import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type Outcome as OutcomeMessage,
  OutcomeSchema,
} from "../../../gen/es/codemode/v1/execution_pb.ts";
import type { Outcome, ProgramResult, Usage } from "../model.ts";
import { reasons, tiers, tierToWire } from "./enums.ts";

/** An outcome to its message. */
export function toOutcomeMessage(outcome: Outcome): OutcomeMessage {
  const { usage, engine } = outcome;
  return create(OutcomeSchema, {
    result: toResultArm(outcome),
    usage: {
      wallMs: usage.wallMs,
      cpuMs: usage.cpuMs,
      peakMemoryBytes: BigInt(Math.round(usage.peakMemoryBytes)),
      outputBytes: BigInt(Math.round(usage.outputBytes)),
      toolCalls: usage.toolCalls,
    },
    isolationTier: tierToWire(outcome.isolationTier),
    engine,
    warnings: [...outcome.warnings],
  });
}

function toResultArm(
  result: ProgramResult,
): NonNullable<MessageInitShape<typeof OutcomeSchema>["result"]> {
  if (result.status === "completed") {
    const { json, text, type, conversions, notes } = result.value;
    return {
      case: "success",
      value: {
        ...(json === undefined ? {} : { resultJson: json }),
        resultText: text,
        resultType: type,
        conversions: [...conversions],
        notes: [...notes],
      },
    };
  }
  const { reason, type, message, traceback, line } = result.error;
  return {
    case: "failure",
    value: { reason: reasons.toWire(reason), type, message, traceback, line },
  };
}

/** A message to an outcome; a reason that this version does not know reads as "crashed". */
export function fromOutcomeMessage(message: OutcomeMessage): Outcome {
  return {
    ...fromResultArm(message.result),
    usage: fromUsage(message.usage),
    isolationTier: tiers.fromWire(message.isolationTier),
    engine: message.engine,
    warnings: message.warnings,
  };
}

function fromUsage(usage: OutcomeMessage["usage"]): Usage {
  return {
    wallMs: usage?.wallMs ?? 0,
    cpuMs: usage?.cpuMs ?? 0,
    peakMemoryBytes: Number(usage?.peakMemoryBytes ?? 0),
    outputBytes: Number(usage?.outputBytes ?? 0),
    toolCalls: usage?.toolCalls ?? 0,
  };
}

function fromResultArm(result: OutcomeMessage["result"]): ProgramResult {
  switch (result.case) {
    case "success": {
      const { resultJson: json, resultText: text, resultType: type, notes } = result.value;
      const conversions = result.value.conversions.map(({ path, type }) => ({ path, type }));
      return { status: "completed", value: { json, text, type, conversions, notes } };
    }
    case "failure": {
      const { type, message, traceback, line } = result.value;
      const reason = reasons.fromWire(result.value.reason) ?? "crashed";
      return { status: "failed", error: { reason, type, message, traceback, line } };
    }
    case undefined:
      return {
        status: "failed",
        error: {
          reason: "crashed",
          type: "",
          message: "no result was sent",
          traceback: "",
          line: 0,
        },
      };
  }
}
