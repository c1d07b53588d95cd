import { create } from "@bufbuild/protobuf";
import {
  type Limits as LimitsMessage,
  LimitsSchema,
} from "../../../gen/es/codemode/v1/execution_pb.ts";
import type { Limits } from "../model.ts";
import { fromDuration, toDuration } from "./time.ts";

/** Limits to their message; an absent field is left to the server's default. */
export function toLimitsMessage(limits: Partial<Limits>): LimitsMessage {
  const { wallMs, activeMs, waitMs, memoryBytes, outputBytes } = limits;
  return create(LimitsSchema, {
    ...(wallMs === undefined ? {} : { wallTimeout: toDuration(wallMs) }),
    ...(activeMs === undefined ? {} : { activeTimeout: toDuration(activeMs) }),
    ...(waitMs === undefined ? {} : { waitTimeout: toDuration(waitMs) }),
    ...(memoryBytes === undefined ? {} : { memoryBytes: BigInt(memoryBytes) }),
    ...(outputBytes === undefined ? {} : { outputBytes: BigInt(outputBytes) }),
    ...(limits.toolCalls === undefined ? {} : { toolCalls: limits.toolCalls }),
    ...(limits.openToolCalls === undefined ? {} : { openToolCalls: limits.openToolCalls }),
    ...(limits.threads === undefined ? {} : { threads: limits.threads }),
  });
}

/** A message to limits; unset and zero fields are absent. */
export function fromLimitsMessage(message: LimitsMessage | undefined): Partial<Limits> {
  if (message === undefined) return {};
  const fields: Record<keyof Limits, number | undefined> = {
    wallMs: fromDuration(message.wallTimeout),
    activeMs: fromDuration(message.activeTimeout),
    waitMs: fromDuration(message.waitTimeout),
    memoryBytes: Number(message.memoryBytes),
    outputBytes: Number(message.outputBytes),
    toolCalls: message.toolCalls,
    openToolCalls: message.openToolCalls,
    threads: message.threads,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value)) as Partial<Limits>;
}
