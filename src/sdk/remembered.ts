import type { CodemodeError } from "../shared/errors.ts";
import type { EventBody, Outcome } from "../shared/model.ts";
import { toEventMessage } from "../shared/wire/event.ts";
import { toCallError } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import type { LogCursor } from "./cursor.ts";
import { findExecution } from "./find.ts";
import { isMadeBy } from "./home.ts";
import type { Leg } from "./leg.ts";
import { lostFor, timeLeft } from "./patience.ts";
import type { PreparedFollow } from "./request.ts";
import type { Connection } from "./transport.ts";

/** An execution that cannot be attached to any more: whoever answered does not know it. */
export interface GoneExecution {
  readonly connection: Connection;
  readonly cursor: LogCursor;
  readonly executionId: string;
  /** The instance that answered; undefined where it did not say. */
  readonly answeredBy: string | undefined;
  /** With which its connection was lost. */
  readonly lost: CodemodeError;
  /** End of the caller's own time, on `performance.now()`. */
  readonly endsAt: number;
}

/**
 * What the instance of an execution remembers of it by the id of its request, as the last leg of its
 * log. Rejects as `execution_lost` where it knows nothing, or another instance answered; and with what
 * connect throws.
 */
export async function restOf(
  call: PreparedFollow,
  scope: CallScope,
  gone: GoneExecution,
): Promise<Leg> {
  const { executionId, answeredBy, lost } = gone;
  if (answeredBy !== undefined && !isMadeBy(answeredBy, executionId)) {
    const message = "the instance that ran the program does not answer any more, another one does";
    throw lostFor(message, lost);
  }
  // Who does not say who it is may be another one.
  const rest = answeredBy === undefined ? undefined : await recall(call, scope, gone);
  if (rest === undefined) throw lostFor("the service does not know the execution any more", lost);
  return rest;
}

async function recall(
  { headers, requestId, timeoutMs }: PreparedFollow,
  scope: CallScope,
  { connection, cursor, executionId, endsAt }: GoneExecution,
): Promise<Leg | undefined> {
  if (requestId === undefined) return undefined;
  const attempt = { headers, timeoutMs: timeLeft(endsAt) ?? timeoutMs, signal: scope.signal };
  try {
    const found = await findExecution(connection.client, { requestId }, attempt);
    // The id may be another execution's by now.
    if (found.executionId !== executionId || found.outcome === undefined) return undefined;
    const { outcome, endTime, lastSequence } = found;
    return rememberedLeg(connection, cursor, { outcome, endTime, lastSequence });
  } catch (error) {
    const { kind } = toCallError(error, { effect: "read" });
    if (kind === "not_found") return undefined;
    throw error;
  }
}

/** How an execution ended. */
export interface RememberedEnd {
  readonly outcome: Outcome;
  readonly endTime: Date | undefined;
  /** Of `finished`. */
  readonly lastSequence: number;
}

/** The rest of a log of which only the end is known: one mark of what was not read, then `finished`. */
export function rememberedLeg(
  connection: Connection,
  cursor: LogCursor,
  { outcome, endTime = new Date(0), lastSequence }: RememberedEnd,
): Leg {
  const after = cursor.sequence;
  const omittedBytes = Math.max(0, outcome.usage.outputBytes - cursor.outputBytes);
  const messageOf = (sequence: number, body: EventBody) => ({
    event: toEventMessage({ ...body, sequence, time: endTime, attempt: 1 }),
  });
  // A service that does not say how long the log was leaves room for the mark.
  const last = lastSequence > after ? lastSequence : after + 2;
  const finished = messageOf(last, { type: "finished", outcome });
  const mark = { type: "trimmed", firstSequence: after + 1, omittedBytes } as const;
  const isMissed = last > after + 1;
  async function* rest() {
    if (isMissed) yield finished;
  }
  return {
    connection,
    isJoined: false,
    wire: { messages: rest(), send: () => undefined, [Symbol.dispose]: () => undefined },
    first: { done: false, value: isMissed ? messageOf(last - 1, mark) : finished },
    closed: new Promise(() => undefined),
    [Symbol.dispose]: () => undefined,
  };
}
