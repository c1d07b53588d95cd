import {
  FailureReason as WireReason,
  ExecutionState as WireState,
  IsolationTier as WireTier,
} from "../../../gen/es/codemode/v1/execution_pb.ts";
import { ToolFailureKind, ToolCallForm as WireForm } from "../../../gen/es/codemode/v1/tool_pb.ts";
import type {
  ExecutionState,
  FailureReason,
  IsolationTier,
  ToolCallForm,
  ToolFailure,
} from "../model.ts";

/** The two directions of an enum, from one table. */
interface EnumMap<M extends string, W extends number> {
  toWire(value: M): W;
  fromWire(value: W): M | undefined;
}

function enumMap<M extends string, W extends number>(table: Record<M, W>): EnumMap<M, W> {
  const back = new Map(Object.entries(table).map(([name, number]) => [number as W, name as M]));
  return { toWire: (value) => table[value], fromWire: (value) => back.get(value) };
}

/** Isolation tiers. */
export const tiers = enumMap<IsolationTier, WireTier>({
  T0: WireTier.NONE,
  T1: WireTier.PARTIAL,
  T2: WireTier.WALL,
  T3: WireTier.DOUBLE_WALL,
});

/** Failure reasons. */
export const reasons = enumMap<FailureReason, WireReason>({
  exception: WireReason.EXCEPTION,
  syntax: WireReason.SYNTAX,
  type_check: WireReason.TYPE_CHECK,
  memory: WireReason.MEMORY,
  timeout: WireReason.TIMEOUT,
  output_limit: WireReason.OUTPUT_LIMIT,
  tool_budget: WireReason.TOOL_BUDGET,
  cancelled: WireReason.CANCELLED,
  abandoned: WireReason.ABANDONED,
  crashed: WireReason.CRASHED,
});

/** Execution states. */
export const states = enumMap<ExecutionState, WireState>({
  queued: WireState.QUEUED,
  running: WireState.RUNNING,
  suspended: WireState.SUSPENDED,
  finished: WireState.FINISHED,
});

/** Forms of tool calls. */
export const forms = enumMap<ToolCallForm, WireForm>({
  auto: WireForm.UNSPECIFIED,
  sync: WireForm.SYNC,
  async: WireForm.ASYNC,
});

/** Kinds of tool failure. */
export const toolFailureKinds = enumMap<ToolFailure["kind"], ToolFailureKind>({
  exception: ToolFailureKind.EXCEPTION,
  invalid_arguments: ToolFailureKind.INVALID_ARGUMENTS,
  invalid_result: ToolFailureKind.INVALID_RESULT,
  not_granted: ToolFailureKind.NOT_GRANTED,
  timeout: ToolFailureKind.TIMEOUT,
  cancelled: ToolFailureKind.CANCELLED,
  unavailable: ToolFailureKind.UNAVAILABLE,
});

/** A tier, or none, to the wire. */
export function tierToWire(tier: IsolationTier | undefined): WireTier {
  return tier === undefined ? WireTier.UNSPECIFIED : tiers.toWire(tier);
}
