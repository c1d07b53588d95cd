import { type CallFailure, toCallFailure } from "./call-error.ts";
import type { Connections } from "./connections.ts";
import type { Connection } from "./transport.ts";

/**
 * Runs an attempt at the connection behind which an execution is: that of its instance first, where it
 * is known, then one after the other while they do not know it. Rejects with what the last one
 * failed with, or the one that could not be asked.
 */
export async function atHome<T>(
  connections: Connections,
  executionId: string,
  attempt: (connection: Connection) => Promise<T>,
): Promise<T> {
  let unasked: { readonly error: unknown } | undefined;
  const candidates = connections.all.toSorted(
    (one, other) => Number(isHome(other, executionId)) - Number(isHome(one, executionId)),
  );
  for (const [index, connection] of candidates.entries()) {
    try {
      return await attempt(connection);
    } catch (error) {
      const { error: failure, isLost }: CallFailure = toCallFailure(error, { effect: "read" });
      const isUnknown = failure.kind === "not_found";
      if (!isUnknown && !isLost && failure.kind !== "unavailable") throw error;
      if (!isUnknown) unasked ??= { error };
      if (index === candidates.length - 1) throw unasked === undefined ? error : unasked.error;
    }
  }
  throw new Error("a client has a connection");
}

function isHome({ peer }: Connection, executionId: string): boolean {
  return peer.instanceId !== undefined && isMadeBy(peer.instanceId, executionId);
}

/** Whether an execution is that instance's: ids begin with the instance that made them. */
export function isMadeBy(instanceId: string, executionId: string): boolean {
  return executionId.startsWith(`${instanceId}-`);
}
