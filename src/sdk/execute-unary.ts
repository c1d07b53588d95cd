import type { ExecuteResponse } from "../../gen/es/codemode/v1/executor_pb.ts";
import { cancelAt } from "./cancel.ts";
import { sendOnce, type Ways } from "./once.ts";
import type { OpenCalls } from "./open-calls.ts";
import { timeLeft } from "./patience.ts";
import type { PreparedExecution } from "./request.ts";
import type { Sending } from "./sending.ts";
import type { Connection } from "./transport.ts";
import { runUnary } from "./unary.ts";

/**
 * Runs a program by `Execute`. A lost answer is asked for again, with the same id at the same instance,
 * which gives that of the one execution. Rejects with a CodemodeError.
 */
export async function executeUnary(
  call: PreparedExecution,
  calls: OpenCalls,
  ways: Omit<Ways, "onSend">,
): Promise<ExecuteResponse> {
  let sentOver: Connection | undefined;
  const onSend = (connection: Connection) => {
    sentOver = connection;
  };
  const onGivenUp = async () => {
    if (sentOver !== undefined) await cancelAt(sentOver, call, { requestId: call.requestId });
  };
  return await runUnary(
    call,
    calls,
    (scope) => {
      const send = ({ connection, headers, message, endsAt }: Sending) => {
        const attempt = { headers, timeoutMs: timeLeft(endsAt) ?? call.timeoutMs };
        return connection.client.execute(
          { request: message },
          { ...attempt, signal: scope.signal },
        );
      };
      return sendOnce(call, scope, { ...ways, onSend }, { send, rejoin: send });
    },
    onGivenUp,
  );
}
