import { create } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import type { ExecutionEvent as ExecutionEventMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import {
  type ExecuteInteractiveRequest,
  ExecuteInteractiveRequestSchema,
  type ExecutorService,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { defaultRetryPolicy } from "../shared/backoff.ts";
import { CodemodeConnectionError, CodemodeError, type ErrorKind } from "../shared/errors.ts";
import type { ToolResult } from "../shared/model.ts";
import { AsyncQueue } from "../shared/queue.ts";
import { toToolResultMessage } from "../shared/wire/tool.ts";
import { toCallError } from "./call-error.ts";
import { CallScope } from "./call-scope.ts";
import type { PreparedExecution } from "./request.ts";
import { retrying } from "./retry.ts";
import { toolFailure } from "./tool-failure.ts";
import type { Attempt } from "./unary.ts";

type ExecutorClient = Client<typeof ExecutorService>;

/** One attempt to run a program: the messages that come, and the way back for tools' answers. */
export interface Wire extends Disposable {
  readonly messages: AsyncIterator<{ readonly event?: ExecutionEventMessage | undefined }>;
  /** Hands an answer to the service; it is known that it arrived when its `tool_result` comes. */
  readonly send: (result: ToolResult, executionId: string) => void;
}

/** Opens a wire; nothing is sent before its messages are read. */
export type OpenWire = (call: PreparedExecution, attempt: Attempt) => Wire;

/** A program whose events only come: `ExecuteStream`. Answers go back one by one, by `SubmitToolResult`. */
export function openStream(client: ExecutorClient): OpenWire {
  return (call, attempt) => {
    const { message: request, payloads } = call;
    const messages = client.executeStream({ request, payloads }, attempt);
    const scope = new CallScope();
    return {
      messages: messages[Symbol.asyncIterator](),
      send: (result, executionId) => void submit(client, call, scope, { result, executionId }),
      [Symbol.dispose]: () => scope.abort(new CodemodeError("cancelled", "the execution ended")),
    };
  };
}

/** A program whose events come while tools' answers go: `ExecuteInteractive`. */
export function openInteractive(client: ExecutorClient): OpenWire {
  return ({ message: request, payloads }, attempt) => {
    const answers = new AsyncQueue<ExecuteInteractiveRequest>({
      // The execution's own limit of open calls bounds what waits here.
      sizeOf: () => 0,
      highWater: 1,
      onFull: () => undefined,
      onDrain: () => undefined,
    });
    const push = (message: ExecuteInteractiveRequest["message"]) =>
      answers.push(create(ExecuteInteractiveRequestSchema, { message }));
    answers.push(
      create(ExecuteInteractiveRequestSchema, {
        message: { case: "start", value: { request, payloads } },
      }),
    );
    const messages = client.executeInteractive(writing(answers), attempt);
    return {
      messages: messages[Symbol.asyncIterator](),
      send: (result) => push({ case: "toolResult", value: toToolResultMessage(result) }),
      [Symbol.dispose]: () => answers.end(),
    };
  };
}

/** The queue as a generator: connect throws into what it reads from, when a call is given up. */
async function* writing<T>(queue: AsyncQueue<T>): AsyncGenerator<T, void, undefined> {
  yield* queue;
}

interface Answer {
  readonly result: ToolResult;
  readonly executionId: string;
}

/**
 * Submits an answer, again where it is not known whether it arrived: the service takes the same one
 * twice. What it refuses for its content becomes a failure of the call; a call that is not open any
 * more needs nothing. Never rejects.
 */
async function submit(
  client: ExecutorClient,
  call: PreparedExecution,
  scope: CallScope,
  { result, executionId }: Answer,
): Promise<void> {
  const { headers, correlationId, timeoutMs } = call;
  const submission = {
    effect: "read",
    correlationId,
    retry: defaultRetryPolicy,
    timeoutMs,
  } as const;
  const send = (answer: ToolResult) =>
    // One that is under way when the execution ends comes to its own end: aborting it would cost an
    // HTTP/1.1 connection.
    retrying(submission, scope, (attemptMs) => {
      const message = { executionId, result: toToolResultMessage(answer) };
      const sent = client.submitToolResult(message, { headers, timeoutMs: attemptMs });
      return sent.catch((error: unknown) => {
        throw asRetryable(toCallError(error, submission));
      });
    });
  try {
    await send(result);
  } catch (error) {
    const { kind, message } = CodemodeError.from(error);
    if ("error" in result || !refusals.has(kind)) return;
    const failure = toolFailure("invalid_result", `the service refused the result: ${message}`);
    // Where this is not taken either, the call ends by its own time limit.
    await send({ callId: result.callId, error: failure }).catch(() => undefined);
  }
}

/** Whoever said "unavailable", the service or a proxy: the same answer may be sent again. */
function asRetryable(error: CodemodeError): CodemodeError {
  if (error.kind !== "unavailable") return error;
  return new CodemodeConnectionError(error.message, { cause: error, retryable: true });
}

/** What a service says of an answer that it does not want, however often it is sent. */
const refusals: ReadonlySet<ErrorKind> = new Set(["invalid_request", "out_of_range", "overloaded"]);
