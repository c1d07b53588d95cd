import { CodemodeConnectionError, type CodemodeError } from "../shared/errors.ts";
import type { Execution } from "../shared/model.ts";
import { instanceOf, toCallError, toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import { findExecution } from "./find.ts";
import { comeBack, lostFor, timeLeft } from "./patience.ts";
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
export type Rejoin<T> = (sending: Sending, executionId: string) => Promise<T>;

// An instance that is there answers at once.
const askMs = 5_000;

/**
 * Finds out what became of a request whose connection was lost, from the instance that it was sent to,
 * and goes back to its execution. Rejects as retryable where the request did not arrive, which may then
 * be sent to that instance again, and as `execution_lost` where the instance cannot tell.
 */
export async function recover<T>(
  call: PreparedExecution,
  scope: CallScope,
  { sending, error, endsAt }: LostSending,
  rejoin: Rejoin<T>,
): Promise<T> {
  const { connection, info } = sending;
  let lost = error;
  for (let count = 1; ; count++) {
    const loss = { error: lost, count, endsAt };
    const execution = await comeBack(call, scope, loss, () => ask(call, scope, sending, lost));
    if (execution === undefined) throw didNotArrive(lost);
    const target = { connection, info, pin: execution.instanceId, isRepeated: true };
    const again = toSending(call, target, timeLeft(endsAt) ?? call.timeoutMs);
    try {
      return await rejoin(again, execution.executionId);
    } catch (failed) {
      const failure = toCallFailure(failed, call);
      if (scope.error !== undefined || !failure.isLost) throw scope.error ?? failed;
      lost = failure.error;
    }
  }
}

/** The execution of a request; undefined where its instance knows of none. */
async function ask(
  { headers, requestId, correlationId }: PreparedExecution,
  scope: CallScope,
  { connection, pin }: Sending,
  lost: CodemodeError,
): Promise<Execution | undefined> {
  const attempt = { headers, timeoutMs: askMs, signal: scope.signal };
  try {
    return await findExecution(connection.client, { requestId }, attempt);
  } catch (error) {
    const { kind } = toCallError(error, { effect: "read", correlationId });
    if (kind === "unsupported") throw lost;
    if (kind !== "not_found") throw error;
    if (pin !== undefined && instanceOf(error) === pin) return undefined;
    throw lostFor("the instance that the program was sent to does not answer any more", lost);
  }
}

function didNotArrive(cause: CodemodeError): CodemodeError {
  const { correlationId } = cause;
  const message = "the connection to the service was lost before the request arrived";
  return new CodemodeConnectionError(message, { cause, correlationId, retryable: true });
}
