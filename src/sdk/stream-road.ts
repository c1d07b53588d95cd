import type { Started } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { Execution } from "../shared/model.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { LogCursor } from "./cursor.ts";
import { findExecution } from "./find.ts";
import { type Leg, openLeg } from "./leg.ts";
import type { Road } from "./once.ts";
import { timeLeft } from "./patience.ts";
import { rememberedLeg } from "./remembered.ts";
import type { PreparedExecution } from "./request.ts";
import type { Sending } from "./sending.ts";
import { type OpenWire, openAttached, openInteractive, openStream } from "./wire.ts";

/** What a log is followed with from its start. */
export interface StreamRoadOptions {
  readonly scope: CallScope;
  readonly cursor: LogCursor;
  readonly hasTools: boolean;
  /** Told of an execution whose log does not say which it is. */
  readonly found: (executionId: string) => void;
}

/**
 * A program's log by the road that fits: `ExecuteInteractive` where it has tools and both sides can
 * send at once (HTTP/2), otherwise `ExecuteStream`; `AttachExecution` where the program runs already.
 */
export function streamRoad(
  call: PreparedExecution,
  { scope, cursor, hasTools, found }: StreamRoadOptions,
): Road<Leg> {
  const open = (wire: OpenWire, { connection, headers, endsAt }: Sending) =>
    openLeg(wire, call, scope, { connection, headers, timeoutMs: timeLeft(endsAt) });

  async function send(sending: Sending): Promise<Leg> {
    const { message, connection } = sending;
    if (!hasTools) return await named(await open(openStream(message), sending), sending);
    if (call.isCallersId && (await unlessUnknown(find(sending))) !== undefined) {
      return await join(await open(openStream(message), sending), sending);
    }
    const wire = connection.isTwoWay ? openInteractive(message) : openStream(message);
    const leg = await open(wire, sending);
    return leg.isJoined ? await join(leg, sending) : leg;
  }

  function attach(sending: Sending, executionId: string): Promise<Leg> {
    cursor.found(executionId);
    return open(openAttached({ executionId, afterSequence: 0, answerTools: true }), sending);
  }

  async function rejoin(sending: Sending, execution: Execution): Promise<Leg> {
    const { executionId, outcome, endTime, lastSequence } = execution;
    if (outcome === undefined) return await attach(sending, executionId);
    const attached = await unlessUnknown(attach(sending, executionId));
    if (attached !== undefined) return attached;
    found(executionId);
    return rememberedLeg(sending.connection, cursor, { outcome, endTime, lastSequence });
  }

  /** The execution that has the id of this request. */
  function find({ connection, headers, endsAt }: Sending): Promise<Execution> {
    const attempt = {
      headers,
      timeoutMs: timeLeft(endsAt) ?? call.timeoutMs,
      signal: scope.signal,
    };
    return findExecution(connection.client, { requestId: call.requestId }, attempt);
  }

  /** The leg; where its log is gone, and with it `started`, the execution's id is asked for. */
  async function named(leg: Leg, sending: Sending): Promise<Leg> {
    if (!call.isCallersId || startedOf(leg) !== undefined) return leg;
    // Without it nothing is missing but the id.
    const execution = await find(sending).catch(() => undefined);
    if (execution !== undefined) found(execution.executionId);
    return leg;
  }

  /**
   * The execution of an earlier call with the same id. The stream that the service gave for the request
   * does not tell past calls from open ones; an attachment does.
   */
  async function join(leg: Leg, sending: Sending): Promise<Leg> {
    const executionId = startedOf(leg)?.executionId;
    // Of a log that is gone only the end is left, and nothing to answer.
    if (executionId === undefined) return await named(leg, sending);
    try {
      const attached = await unlessUnknown(attach(sending, executionId));
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
