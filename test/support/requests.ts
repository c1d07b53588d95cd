import type { Program } from "../../src/executors/executor.ts";
import type { ExecutionRequest, Limits } from "../../src/shared/model.ts";

/** Limits that no test runs into by accident. */
export const roomyLimits: Limits = {
  wallMs: 60_000,
  activeMs: 60_000,
  waitMs: 60_000,
  memoryBytes: 64 * 1024 * 1024,
  outputBytes: 1024 * 1024 * 1024,
  toolCalls: 100,
  openToolCalls: 10,
  threads: 4,
};

/** A program of some code, as an executor is given it. */
export function programOf(code: string, fields: Partial<Program> = {}): Program {
  return {
    code,
    language: "python",
    context: {},
    config: {},
    limits: roomyLimits,
    seed: 1n,
    tools: [],
    ...fields,
  };
}

/** A validated request of some code. */
export function requestOf(code: string, fields: Partial<ExecutionRequest> = {}): ExecutionRequest {
  return {
    code,
    language: "python",
    context: {},
    config: {},
    limits: roomyLimits,
    tools: [],
    toolServices: [],
    keepWithoutReaderMs: 0,
    requestId: "",
    correlationId: "c-1",
    ...fields,
  };
}
