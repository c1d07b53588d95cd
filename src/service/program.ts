import { randomBytes } from "node:crypto";
import type { LeaseRequest } from "../dispatch/dispatcher.ts";
import type { GuestTool, Program } from "../executors/executor.ts";
import type { ExecutionRequest } from "../shared/model.ts";
import type { Call } from "./call.ts";
import { groupOf } from "./group.ts";

/** An execution that wants to run. */
export interface Applicant {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  readonly call: Pick<Call, "tenant">;
}

/** What its dispatcher is told of an execution. */
export function toLeaseRequest({ executionId, request, call }: Applicant): LeaseRequest {
  const { language, limits } = request;
  return { executionId, tenant: call.tenant, language, memoryBytes: limits.memoryBytes };
}

/** The program of a request of a tenant, with a seed of its own and the tools that it was granted. */
export function toProgram(
  request: ExecutionRequest,
  tools: readonly GuestTool[],
  tenant: string,
): Program {
  const { code, unfenced, language, config, limits, toolServices } = request;
  return {
    code,
    unfenced,
    language,
    // Tools are told what the caller gave, whatever an executor does to what the guest sees.
    context: structuredClone(request.context),
    config,
    limits,
    tools,
    hasMoreTools: toolServices.length > 0,
    group: groupOf(tenant),
    seed: randomBytes(8).readBigUInt64LE(),
  };
}
