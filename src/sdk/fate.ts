import { CodemodeConnectionError, type CodemodeError } from "../shared/errors.ts";
import type { Execution } from "../shared/model.ts";
import { type CallFailure, instanceOf, toCallError, toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import { findExecution } from "./find.ts";
import { comeBack, lostFor, mayPass, timeLeft } from "./patience.ts";
import type { PreparedExecution } from "./request.ts";
import { type Sending, toSending } from "./sending.ts";

/** A request that went out and had no answer. */
export interface LostSending {
  readonly sending: Sending;
  readonly error: CodemodeError;
  /** End of the caller's own time, on `performance.now()`. */
  readonly endsAt: number;
}

/** Goes back to an execution that a request began; rejects with what connect throws. */
export type Rejoin<T> = (sending: Sending, execution: Execution) => Promise<T>;

/** A way back to an execution that is known, which failed for now. */
interface FailedWay {
  readonly failure: CallFailure;
  readonly hasStarted: boolean;
}

/** What a way back came to; `unknown` where the instance has no such execution. */
type WayBack<T> =
  | { readonly type: "joined"; readonly value: T }
  | ({ readonly type: "failed" } & FailedWay)
  | { readonly type: "unknown" };

// An instance that is there answers at once.
const askMs = 5_000;

/**
 * Finds out what became of a request whose connection was lost, from the instance that it was sent to,
 * and goes back to its execution. Rejects as retryable where the request did not arrive or start, which
 * may then be sent to that instance again, and as `execution_lost` where the instance cannot tell.
 */
export async function recover<T>(
  call: PreparedExecution,
  scope: CallScope,
  { sending, error, endsAt }: LostSending,
  rejoin: Rejoin<T>,
): Promise<T> {
  const { connection, info } = sending;
  let lost = error;

  async function goBack(): Promise<WayBack<T>> {
    const execution = await ask(call, scope, sending, lost);
    if (execution === undefined) return { type: "unknown" };
    const { executionId, instanceId, startTime } = execution;
    const target = { connection, info, pin: instanceId };
    try {
      return { type: "joined", value: await rejoin(toSending(call, target, endsAt), execution) };
    } catch (failed) {
      // The execution is known: that this attempt was not even sent does not make a new one safe.
      const failure = toCallFailure(failed, { ...call, executionId });
      // Its log may have gone since: whoever asks again learns how it ended.
      const isGone = failure.error.kind === "not_found";
      if (scope.error !== undefined || (!mayPass(failure) && !isGone)) throw failed;
      return { type: "failed", failure, hasStarted: startTime !== undefined };
    }
  }

  let last: FailedWay | undefined;
  for (let count = 1; ; count++) {
    const retryAfterMs = last?.failure.error.retryAfterMs;
    const way = await comeBack(call, scope, { error: lost, count, endsAt, retryAfterMs }, goBack);
    if (way.type === "joined") return way.value;
    if (way.type === "unknown") throw unknownAfter(last, lost);
    last = way;
    const { error: failed, isLost } = way.failure;
    lost = isLost ? failed : lostFor(failed.message, failed);
  }
}

/** The error of an execution that its instance does not know, or not any more. */
function unknownAfter(last: FailedWay | undefined, lost: CodemodeError): CodemodeError {
  if (last?.hasStarted) return lostFor("the service does not know the execution any more", lost);
  // One that never started is known until it is refused.
  const refusal = last?.failure.error;
  return refusal?.retryable ? refusal : didNotArrive(lost);
}

/** The execution of a request; undefined where its instance knows of none. */
async function ask(
  { headers, requestId, correlationId }: PreparedExecution,
  scope: CallScope,
  { connection, pin, endsAt }: Sending,
  lost: CodemodeError,
): Promise<Execution | undefined> {
  const timeoutMs = Math.min(askMs, timeLeft(endsAt) ?? askMs);
  const attempt = { headers, timeoutMs, signal: scope.signal };
  try {
    return await findExecution(connection.client, { requestId }, attempt);
  } catch (error) {
    const { kind } = toCallError(error, { effect: "read", correlationId });
    if (kind === "unsupported") throw lost;
    if (kind === "deadline_exceeded") throw silent(error);
    if (kind !== "not_found") throw error;
    if (pin !== undefined && instanceOf(error) === pin) return undefined;
    throw lostFor("the instance that the program was sent to does not answer any more", lost);
  }
}

/** It may answer later. */
function silent(cause: unknown): CodemodeError {
  return new CodemodeConnectionError("the instance did not answer in time", { cause });
}

function didNotArrive(cause: CodemodeError): CodemodeError {
  const { correlationId } = cause;
  const message = "the connection to the service was lost before the request arrived";
  return new CodemodeConnectionError(message, { cause, correlationId, retryable: true });
}
