import { Code, ConnectError } from "@connectrpc/connect";
import type {
  ExecuteInteractiveRequest,
  ExecuteStreamRequest,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import type { ToolResult as ToolResultMessage } from "../../gen/es/codemode/v1/tool_pb.ts";
import { type ForkedSignal, sleep, untilAborted } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import { TurnMeter } from "../shared/few-in-turn.ts";
import type { ToolResult } from "../shared/model.ts";
import { fromToolResultMessage } from "../shared/wire/tool.ts";
import { callEnded } from "./endings.ts";
import { fault } from "./faults.ts";
import type { Reader } from "./reader.ts";

/** What a caller sends on its interactive stream. */
export type Input = AsyncIterator<ExecuteInteractiveRequest>;

// A busy client or network may take as long from the end of a stream's input to its reset.
const resetGraceMs = 250;

/** The `start` that an interactive stream begins with. Rejects `invalid_request` for anything else. */
export async function readStart(input: Input, signal: AbortSignal): Promise<ExecuteStreamRequest> {
  const first = await untilAborted(input.next(), signal).catch((error: unknown) => {
    throw signal.aborted ? callEnded(signal.reason) : error;
  });
  const message = first.done === true ? undefined : first.value.message;
  if (message?.case === "start") return message.value;
  throw fault("start", "must be the first message");
}

/**
 * Hands the caller's answers to the execution until the caller closes its side. What is no answer at
 * all goes to `refuse` as `invalid_request`, and ends the reading. Never rejects. A caller that is gone,
 * as the call's signal says, closes nothing: its calls wait for the next tool host.
 */
export async function readAnswers(
  input: Input,
  reader: Pick<Reader, "answer" | "closeCaller" | "tenant">,
  { signal, abort: refuse }: Pick<ForkedSignal, "signal" | "abort">,
): Promise<void> {
  const meter = new TurnMeter(reader.tenant);
  try {
    for (let next = await input.next(); next.done !== true; next = await input.next()) {
      await meter.count();
      const { message } = next.value;
      if (message.case !== "toolResult") throw fault("tool_result", "must be every later message");
      const result = parseToolResult(message.value);
      try {
        reader.answer(result);
      } catch (error) {
        // One that comes too late, twice or to no call is nothing unusual, and has no effect.
        if (!CodemodeError.is(error)) throw CodemodeError.from(error);
      }
    }
    // A client that goes (Node's, for one) may close its side first, and its reset comes a moment later.
    await sleep(resetGraceMs, signal).catch(() => {});
    if (!signal.aborted) reader.closeCaller();
  } catch (error) {
    const { cause } = ConnectError.from(error);
    if (CodemodeError.is(error)) refuse(error);
    else if (CodemodeError.is(cause)) refuse(cause);
    else if (isUnreadable(error)) {
      const { rawMessage } = ConnectError.from(error);
      refuse(fault("tool_result", `cannot be read: ${rawMessage}`));
    }
    // Anything else: the connection is gone.
  }
}

/** Connect could not make a message of what the caller sent. */
function isUnreadable(error: unknown): boolean {
  const { code } = ConnectError.from(error);
  return code === Code.ResourceExhausted || code === Code.InvalidArgument;
}

/** An answer with its call and a value or an error. Throws `invalid_request` where one is missing. */
export function parseToolResult(message: ToolResultMessage | undefined): ToolResult {
  if (message === undefined) throw fault("result", "is required");
  const result = fromToolResultMessage(message);
  if (message.callId === "") throw fault("result.call_id", "is empty");
  if (result === undefined) throw fault("result", "has neither result_json nor error");
  return result;
}
