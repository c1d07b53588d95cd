import type { Program } from "../../src/executors/executor.ts";
import type { ExecutionsOptions } from "../../src/service/executions.ts";
import type { IdempotencyTableOptions } from "../../src/service/idempotency-table.ts";
import type { ExecutionRequest, Limits, ToolDeclaration } from "../../src/shared/model.ts";
import type { PayloadBounds } from "../../src/tools/budget.ts";
import type { ToolServices } from "../../src/tools/tool-service.ts";

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
    hasMoreTools: false,
    group: "test",
    ...fields,
  };
}

/** A validated request of some code. */
export function requestOf(code: string, fields: Partial<ExecutionRequest> = {}): ExecutionRequest {
  return {
    code,
    unfenced: undefined,
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

/** Sizes that no test runs into by accident. */
export const roomyPayloads: PayloadBounds = {
  payloadBytes: 2 * 1024 * 1024,
  totalPayloadBytes: 64 * 1024 * 1024,
};

/** Bounds of what is kept and read that no test runs into by accident. */
export const roomyKeeping: Pick<ExecutionsOptions, "retention" | "followerBounds" | "maxKnown"> = {
  retention: { endedForMs: 60_000, tenantBytes: 2 ** 26, totalBytes: 2 ** 26 },
  followerBounds: { perExecution: 16, perTenant: 100 },
  maxKnown: 1_000,
};

/** Bounds of what is remembered of requests that no test runs into by accident. */
export const roomyTable: IdempotencyTableOptions = {
  ttlMs: 60_000,
  maxRequests: 1_000,
  outcomeBytes: 2 ** 24,
};

/** A server without tool services. */
export const noToolServices: ToolServices = {
  names: [],
  get: () => undefined,
  [Symbol.dispose]() {},
};

/** The declaration of a tool, any arguments and any result where nothing is said. */
export function toolOf(name: string, fields: Partial<ToolDeclaration> = {}): ToolDeclaration {
  return {
    name,
    description: "",
    inputSchemaJson: "",
    outputSchemaJson: "",
    callForm: "auto",
    readOnly: false,
    idempotent: false,
    ...fields,
  };
}
