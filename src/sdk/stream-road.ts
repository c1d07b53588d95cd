import type { Started } from "../../gen/es/codemode/v1/execution_pb.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { LogCursor } from "./cursor.ts";
import { findExecution } from "./find.ts";
import { type Leg, openLeg } from "./leg.ts";
import type { Road } from "./once.ts";
import type { PreparedExecution } from "./request.ts";
import type { Sending } from "./sending.ts";
import { type OpenWire, openAttached, openInteractive, openStream } from "./wire.ts";

/** What a log is followed with from its start. */
export interface StreamRoadOptions {
  readonly scope: CallScope;
  readonly cursor: LogCursor;
  readonly hasTools: boolean;
}

/**
 * A program's log by the road that fits: `ExecuteInteractive` where it has tools and both sides can
 * send at once (HTTP/2), otherwise `ExecuteStream`; `AttachExecution` where the program runs already.
 */
export function streamRoad(
  call: PreparedExecution,
  { scope, cursor, hasTools }: StreamRoadOptions,
): Road<Leg> {
  const open = (wire: OpenWire, { connection, headers, timeoutMs }: Sending) => {
    const bound = call.isPacedByReader ? undefined : timeoutMs;
    return openLeg(wire, call, scope, { connection, headers, timeoutMs: bound });
  };

  async function send(sending: Sending): Promise<Leg> {
    const { message, connection, isRepeated } = sending;
    if (!hasTools) return await open(openStream(message), sending);
    if (call.isCallersId && (await isKnown(sending))) {
      return await join(await open(openStream(message), sending), sending);
    }
    if (isRepeated) cursor.mayJoin();
    const wire = connection.isTwoWay ? openInteractive(message) : openStream(message);
    const leg = await open(wire, sending);
    const starter = startedOf(leg)?.correlationId ?? "";
    const isJoined = starter !== "" && starter !== call.correlationId;
    return isJoined ? await join(leg, sending) : leg;
  }

  async function rejoin(sending: Sending, executionId: string): Promise<Leg> {
    cursor.found(executionId);
    return await open(openAttached({ executionId, afterSequence: 0, answerTools: true }), sending);
  }

  /** Whether an execution has the id of this request, and so may have calls in its log that are past. */
  async function isKnown({ connection, headers, timeoutMs }: Sending): Promise<boolean> {
    const attempt = { headers, timeoutMs, signal: scope.signal };
    const found = findExecution(connection.client, { requestId: call.requestId }, attempt);
    return (await unlessUnknown(found)) !== undefined;
  }

  /**
   * The execution of an earlier call with the same id. The stream that the service gave for the request
   * does not tell past calls from open ones; an attachment does.
   */
  async function join(leg: Leg, sending: Sending): Promise<Leg> {
    const executionId = startedOf(leg)?.executionId;
    // Of a log that is gone only the end is left, and nothing to answer.
    if (executionId === undefined) return leg;
    try {
      const attached = await unlessUnknown(rejoin(sending, executionId));
      if (attached === undefined) return leg;
      leg[Symbol.dispose]();
      return attached;
    } catch (error) {
      leg[Symbol.dispose]();
      throw error;
    }
  }

  async function unlessUnknown<T>(result: Promise<T>): Promise<T | undefined> {
    try {
      return await result;
    } catch (error) {
      const { kind } = toCallError(error, { effect: "read" });
      if (kind === "not_found" || kind === "unsupported") return undefined;
      throw error;
    }
  }

  return { send, rejoin };
}

/** The beginning of a log that a leg begins with. */
function startedOf({ first }: Leg): Started | undefined {
  const arm = first.done === true ? undefined : first.value.event?.event;
  return arm?.case === "started" ? arm.value : undefined;
}
