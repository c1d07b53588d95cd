import { type CallFailure, instanceOf, toCallError, toCallFailure } from "./call-error.ts";
import type { CallScope } from "./call-scope.ts";
import { type Connections, Itinerary } from "./connections.ts";
import { type Rejoin, recover } from "./fate.ts";
import { lostFor } from "./patience.ts";
import type { PreparedExecution } from "./request.ts";
import { retrying } from "./retry.ts";
import type { RetryBudget } from "./retry-budget.ts";
import { firstTarget, type Sending, type Target, toSending } from "./sending.ts";
import type { Connection } from "./transport.ts";

/** How a request goes out. */
export interface Road<T> {
  /** Rejects with what connect throws. */
  readonly send: (sending: Sending) => Promise<T>;
  /** Goes back to the execution of an earlier sending. */
  readonly rejoin: Rejoin<T>;
}

/** What requests go over. */
export interface Ways {
  readonly connections: Connections;
  /** Undefined for no bound. */
  readonly budget: RetryBudget | undefined;
  /** Hears of each connection that the request is sent over. */
  readonly onSend: (connection: Connection) => void;
}

/**
 * Sends a request for an execution, and again by the call's policy, so that its program runs at most
 * once. What did not start goes to the next connection. When it is not known whether it did, the
 * instance that it was meant for is asked, and no other one gets it from then on. Rejects with a
 * CodemodeError, `execution_lost` where that instance cannot tell.
 */
export async function sendOnce<T>(
  call: PreparedExecution,
  scope: CallScope,
  { connections, budget, onSend }: Ways,
  { send, rejoin }: Road<T>,
): Promise<T> {
  const itinerary = new Itinerary(connections);
  const endsAt = call.isPacedByReader
    ? Number.POSITIVE_INFINITY
    : performance.now() + call.timeoutMs;
  let at = connections.current;
  /** Where a request went whose fate is not known. */
  let held: Target | undefined;

  async function sendTo(target: Target): Promise<T> {
    const sending = toSending(call, target, endsAt);
    onSend(target.connection);
    try {
      return await send(sending);
    } catch (error) {
      const failure = toCallFailure(error, call);
      // A server that does not say who it is may not know requests by their id either.
      const isFinal = !failure.isLost || target.info === undefined || scope.error !== undefined;
      if (isFinal || isRefused(error, target)) throw error;
      held = target;
      const lost = { sending, error: failure.error, endsAt };
      return await recover(call, scope, lost, rejoin);
    }
  }

  async function attempt(timeoutMs: number): Promise<T> {
    if (held === undefined) at = itinerary.next();
    for (;;) {
      const target = held ?? (await firstTarget(at, call, scope, timeoutMs));
      try {
        const value = await sendTo(target);
        if (target.pin !== undefined) at.peer.hit();
        return value;
      } catch (error) {
        if (scope.error !== undefined || !isRefused(error, target)) throw error;
        // Nothing ran: another instance is at the end of the connection now.
        if (held !== undefined) throw lostFor("the instance is gone", toCallError(error, call));
        at.peer.miss(target.pin ?? "");
      }
    }
  }

  const goesElsewhere = ({ error }: CallFailure) => {
    if (held !== undefined) return false;
    if (error.kind === "unavailable") connections.leave(at);
    return itinerary.hasOther;
  };
  return await retrying(call, scope, attempt, { budget, goesElsewhere });
}

/** Another instance had the request than the one that it was meant for. */
function isRefused(error: unknown, { pin }: Target): boolean {
  const answeredBy = instanceOf(error);
  return pin !== undefined && answeredBy !== undefined && answeredBy !== pin;
}
