import type { MessageInitShape } from "@bufbuild/protobuf";
import type { GetExecutionRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { Execution } from "../shared/model.ts";
import { fromExecutionMessage } from "../shared/wire/execution.ts";
import type { ExecutorClient } from "./transport.ts";
import type { Attempt } from "./unary.ts";

/** An execution's id, or the id of the request that it was started with. */
export type ExecutionKey = string | { readonly requestId: string };

/** Gives an execution as it stands; rejects with what connect throws. */
export async function findExecution(
  client: ExecutorClient,
  key: ExecutionKey,
  attempt: Attempt,
): Promise<Execution> {
  const message: MessageInitShape<typeof GetExecutionRequestSchema>["key"] =
    typeof key === "string"
      ? { case: "executionId", value: key }
      : { case: "requestId", value: key.requestId };
  const { execution } = await client.getExecution({ key: message }, attempt);
  if (execution === undefined) throw new CodemodeError("internal", "the service gave no execution");
  return fromExecutionMessage(execution);
}
