import {
  IdempotencyTable,
  type IdempotencyTableOptions,
} from "../../src/service/idempotency-table.ts";
import type { Execution } from "../../src/shared/model.ts";
import { requestOf } from "./requests.ts";

/** How logs end where nothing is said. */
export const ended = { lastSequence: 7, isLost: false };

/** A table of request ids with a clock of its own, and what is done to it. */
export function setUpTable(options: Partial<IdempotencyTableOptions> = {}) {
  let time = 1_000;
  const table = new IdempotencyTable({
    ttlMs: 60_000,
    maxRequests: 1_000,
    outcomeBytes: 1024 * 1024,
    now: () => time,
    ...options,
  });
  const claim = (requestId: string, executionId: string, tenant = "acme", code = "x = 1") =>
    table.claim(tenant, requestOf(code, { requestId }), () => ({ executionId })).known;
  const end = (requestId: string, executionId: string, tenant = "acme", text = "4") =>
    table.end(tenant, executionOf(requestId, executionId, text), ended);
  return {
    table,
    claim,
    end,
    pass: (ms: number) => {
      time += ms;
    },
  };
}

/** An execution that ended well. */
export function executionOf(requestId: string, executionId: string, text = "4"): Execution {
  return {
    executionId,
    state: "finished",
    outcome: {
      status: "completed",
      value: { json: text, text, type: "int", conversions: [], notes: [] },
      usage: { wallMs: 12, cpuMs: 3, peakMemoryBytes: 4_096, outputBytes: 5, toolCalls: 1 },
      isolationTier: "T2",
      engine: "cpython",
      warnings: ["a warning"],
    },
    correlationId: "c-1",
    instanceId: "i-7",
    language: "python",
    createTime: new Date(1_700_000_000_001),
    startTime: new Date(1_700_000_000_002),
    endTime: new Date(1_700_000_000_003),
    requestId,
    lastSequence: 3,
  };
}

/** What an action throws. */
export const thrown = (action: () => unknown): unknown => {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};
