import type { Client } from "@connectrpc/connect";
import type { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { PreparedExecution } from "./request.ts";
import { retrying } from "./retry.ts";
import { type StreamEvent, toStreamEvent } from "./stream-event.ts";

/**
 * Runs a program and yields its log up to `finished`; reading slowly slows the guest. Tried again only
 * while nothing was received. Throws a CodemodeError, `execution_lost` when the stream ends early.
 */
export async function* followExecution(
  client: Client<typeof ExecutorService>,
  call: PreparedExecution,
  scope: CallScope,
): AsyncGenerator<StreamEvent, void, undefined> {
  const { headers, message: request } = call;
  const { messages, first } = await retrying(call, scope, async (timeoutMs) => {
    const options = { headers, timeoutMs, signal: scope.signal };
    const messages = client.executeStream({ request }, options)[Symbol.asyncIterator]();
    return { messages, first: await messages.next() };
  });
  let executionId: string | undefined;
  for (let step = first; !step.done; ) {
    const event = step.value.event && toStreamEvent(step.value.event);
    if (event?.type === "started") executionId = event.executionId;
    if (event !== undefined) yield event;
    if (event?.type === "finished") {
      // The status that follows changes nothing; reading it lets the stream close in order.
      await messages.next().catch(() => undefined);
      return;
    }
    try {
      step = await messages.next();
    } catch (error) {
      throw scope.error ?? toCallError(error, { ...call, executionId });
    }
  }
  throw new CodemodeError("execution_lost", "the stream ended without an outcome", {
    correlationId: call.correlationId,
    executionId,
  });
}
