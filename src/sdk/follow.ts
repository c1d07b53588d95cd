import { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { PreparedExecution } from "./request.ts";
import { retrying } from "./retry.ts";
import { type StreamEvent, toStreamEvent, withSmallPayload } from "./stream-event.ts";
import type { ToolRunner } from "./tool-runner.ts";
import type { OpenWire } from "./wire.ts";

/**
 * Runs a program and yields its log up to `finished`; reading slowly slows the guest. Calls are
 * handed to the runner as they are read. Tried again only while nothing was received. Throws a
 * CodemodeError, `execution_lost` when the stream ends early.
 */
export async function* followExecution(
  open: OpenWire,
  call: PreparedExecution,
  scope: CallScope,
  runner?: ToolRunner,
): AsyncGenerator<StreamEvent, void, undefined> {
  const { wire, first } = await retrying(call, scope, (timeoutMs) =>
    begin(open, call, scope, timeoutMs),
  );
  using _ = wire;
  let executionId: string | undefined;
  for (let step = first; !step.done; ) {
    const event = step.value.event && toStreamEvent(step.value.event);
    if (event?.type === "started") executionId = event.executionId;
    if (event !== undefined) {
      runner?.take(event, (result) => wire.send(result, executionId ?? ""));
      // The service leaves out the rest by itself; these it must send whole, for the runner.
      yield call.payloads === ToolPayloads.SMALL ? withSmallPayload(event) : event;
    }
    if (event?.type === "finished") {
      wire[Symbol.dispose]();
      // The status that follows changes nothing; reading it lets the stream close in order.
      await wire.messages.next().catch(() => undefined);
      return;
    }
    try {
      step = await wire.messages.next();
    } catch (error) {
      throw scope.error ?? toCallError(error, { ...call, executionId });
    }
  }
  throw new CodemodeError("execution_lost", "the stream ended without an outcome", {
    correlationId: call.correlationId,
    executionId,
  });
}

async function begin(open: OpenWire, call: PreparedExecution, scope: CallScope, timeoutMs: number) {
  const bound = call.isPacedByReader ? {} : { timeoutMs };
  const wire = open(call, { headers: call.headers, ...bound, signal: scope.signal });
  try {
    return { wire, first: await wire.messages.next() };
  } catch (error) {
    wire[Symbol.dispose]();
    throw error;
  }
}
