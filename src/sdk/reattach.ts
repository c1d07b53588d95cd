import { CodemodeError } from "../shared/errors.ts";
import type { Outcome } from "../shared/model.ts";
import { fromExecutionMessage } from "../shared/wire/execution.ts";
import { instanceOf, toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import { type Following, followLeg } from "./follow.ts";
import { type Leg, openLeg } from "./leg.ts";
import { comeBack, timeLeft } from "./patience.ts";
import { restOf } from "./remembered.ts";
import type { StreamEvent } from "./stream-event.ts";
import { openAttached } from "./wire.ts";

/** A log that is followed to its end, over as many connections as it takes. */
export interface Journey extends Following {
  /** Opens the first connection's part. */
  readonly begin: () => Promise<Leg>;
  readonly scope: CallScope;
  /** End of the caller's own time, on `performance.now()`. */
  readonly endsAt: number;
  /** Has the log read on, whatever the pace, until a condition holds. */
  readonly readOn: (until: () => boolean) => void;
}

/**
 * Yields an execution's log up to `finished`, each event once and in order. After a lost connection it
 * attaches to the execution again, at the same service; no program is ever sent again. Returns the
 * outcome of a log that had no event left. Throws a CodemodeError.
 */
export async function* followLog(
  journey: Journey,
): AsyncGenerator<StreamEvent, Outcome | undefined, undefined> {
  const { cursor } = journey;
  let leg = await journey.begin();
  // The program lives without a reader for a while only: the way back does not wait for a slow loop.
  const watch = (watched: Leg) => {
    void watched.closed.then(() => {
      if (leg === watched) journey.readOn(() => leg !== watched);
    });
  };
  watch(leg);
  for (let count = 1; ; count++) {
    const before = cursor.sequence;
    const end = yield* readUntilLost(leg, journey);
    if (end === undefined) return undefined;
    const { error } = end;
    if (cursor.sequence > before) count = 1;
    else if (end.isClosed && cursor.hasAll) {
      // The log has ended, and its last event was seen before.
      const outcome = await outcomeOf(leg, journey);
      if (outcome !== undefined) return outcome;
    }
    leg = await attachAgain(leg, journey, { error, count });
    watch(leg);
  }
}

/** How a leg ended that did not come to `finished`. */
interface LegEnd {
  readonly error: CodemodeError;
  /** The service ended it, and said so. */
  readonly isClosed: boolean;
}

/** Reads one leg to `finished`, or gives what became of it. */
async function* readUntilLost(
  leg: Leg,
  journey: Journey,
): AsyncGenerator<StreamEvent, LegEnd | undefined, undefined> {
  const { call, scope, cursor } = journey;
  try {
    if (yield* followLeg(leg, journey)) return undefined;
  } catch (error) {
    if (scope.error !== undefined) throw scope.error;
    const failure = toCallFailure(error, { ...call, executionId: cursor.executionId });
    // A reader that fell behind what the service keeps of the output goes on from what is left.
    if (!failure.isLost && failure.error.kind !== "out_of_range") throw failure.error;
    return { error: failure.error, isClosed: false };
  }
  const { correlationId } = call;
  const { executionId } = cursor;
  const options = { correlationId, executionId };
  const message = "the stream ended without an outcome";
  return { error: new CodemodeError("execution_lost", message, options), isClosed: true };
}

async function attachAgain(
  { connection }: Leg,
  { call, scope, cursor, endsAt }: Journey,
  { error: lost, count }: { readonly error: CodemodeError; readonly count: number },
): Promise<Leg> {
  const { executionId } = cursor;
  if (executionId === undefined) throw lost;
  const loss = { error: lost, count, endsAt };
  let afterSequence = cursor.sequence;
  return await comeBack({ ...call, executionId }, scope, loss, async () => {
    const open = openAttached({ executionId, afterSequence, answerTools: cursor.isHost });
    const { headers } = call;
    try {
      return await openLeg(open, call, scope, { connection, headers, timeoutMs: timeLeft(endsAt) });
    } catch (error) {
      if (scope.error !== undefined) throw scope.error;
      const { kind, message } = toCallFailure(error, call).error;
      if (kind === "unsupported") throw lost;
      if (kind === "not_found") {
        const answeredBy = instanceOf(error);
        const gone = { connection, cursor, executionId, answeredBy, lost, endsAt };
        return await restOf(call, scope, gone);
      }
      if (kind !== "out_of_range" || afterSequence === 0) throw error;
      // Output that was not read is gone; from the start the log says how much.
      afterSequence = 0;
      throw new CodemodeError("unavailable", message, { retryAfterMs: 0 });
    }
  });
}

/** How an execution ended; undefined where that cannot be told. */
async function outcomeOf({ connection }: Leg, journey: Journey): Promise<Outcome | undefined> {
  const { call, scope, cursor, endsAt } = journey;
  const { headers } = call;
  const timeoutMs = timeLeft(endsAt) ?? call.timeoutMs;
  const key = { case: "executionId", value: cursor.executionId ?? "" } as const;
  try {
    const options = { headers, timeoutMs, signal: scope.signal };
    const { execution } = await connection.client.getExecution({ key }, options);
    return execution && fromExecutionMessage(execution).outcome;
  } catch {
    // The attachment that comes next fails with what is to be said.
    return undefined;
  }
}
