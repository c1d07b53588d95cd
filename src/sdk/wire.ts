import { create } from "@bufbuild/protobuf";
import type {
  ExecutionEvent as ExecutionEventMessage,
  ExecutionRequest as ExecutionRequestMessage,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import {
  type AttachExecutionResponse,
  type Attached as AttachedMessage,
  type ExecuteInteractiveRequest,
  ExecuteInteractiveRequestSchema,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { ToolResult } from "../shared/model.ts";
import { AsyncQueue } from "../shared/queue.ts";
import { toToolResultMessage } from "../shared/wire/tool.ts";
import { submitAnswer } from "./answers.ts";
import { CallScope } from "./call-scope.ts";
import type { PreparedFollow } from "./request.ts";
import type { ExecutorClient } from "./transport.ts";
import type { Attempt } from "./unary.ts";

/** What comes over a wire: events; where the log stood, before the events of an attachment. */
export interface WireMessage {
  readonly event?: ExecutionEventMessage | undefined;
  readonly attached?: AttachedMessage | undefined;
}

/** One stream of an execution's log: the messages that come, and the way back for tools' answers. */
export interface Wire extends Disposable {
  readonly messages: AsyncIterator<WireMessage>;
  /** Hands an answer to the service; it is known that it arrived when its `tool_result` comes. */
  readonly send: (result: ToolResult, executionId: string) => void;
}

/** Opens a wire; nothing is sent before its messages are read. */
export type OpenWire = (client: ExecutorClient, call: PreparedFollow, attempt: Attempt) => Wire;

/** A program whose events only come: `ExecuteStream`. Answers go back one by one, by `SubmitToolResult`. */
export function openStream(request: ExecutionRequestMessage): OpenWire {
  return (client, call, attempt) => {
    const { payloads } = call;
    return submitting(client.executeStream({ request, payloads }, attempt), client, call);
  };
}

/** Where a log is attached to. */
export interface AttachPoint {
  readonly executionId: string;
  readonly afterSequence: number;
  readonly answerTools: boolean;
}

/** The log of an execution that was started before: `AttachExecution`. Answers go as for `openStream`. */
export function openAttached({ executionId, afterSequence, answerTools }: AttachPoint): OpenWire {
  return (client, call, attempt) => {
    const { payloads } = call;
    const message = {
      executionId,
      afterSequence: BigInt(afterSequence),
      answerTools,
      payloads,
    };
    return submitting(withOpenCalls(client.attachExecution(message, attempt)), client, call);
  };
}

/** The open calls of an attachment may come in several messages: they are put together in the first. */
async function* withOpenCalls(
  responses: AsyncIterable<AttachExecutionResponse>,
): AsyncGenerator<WireMessage, void, undefined> {
  let attached: AttachedMessage | undefined;
  for await (const response of responses) {
    if (response.attached !== undefined) attached = response.attached;
    attached?.openCalls.push(...response.openCalls);
    // An event ends what belongs to the first message, whatever it had promised.
    const isWhole = attached !== undefined && attached.openCalls.length >= attached.openCallCount;
    if (attached !== undefined && (isWhole || response.event !== undefined)) {
      yield { attached };
      attached = undefined;
    }
    if (response.event !== undefined) yield response;
  }
  if (attached !== undefined) yield { attached };
}

/** A program whose events come while tools' answers go: `ExecuteInteractive`. */
export function openInteractive(request: ExecutionRequestMessage): OpenWire {
  return (client, { payloads }, attempt) => {
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

/** A wire over which nothing can go back. */
function submitting(
  messages: AsyncIterable<WireMessage>,
  client: ExecutorClient,
  call: PreparedFollow,
): Wire {
  const scope = new CallScope();
  return {
    messages: messages[Symbol.asyncIterator](),
    send: (result, executionId) => void submitAnswer(client, call, scope, { result, executionId }),
    [Symbol.dispose]: () => scope.abort(new CodemodeError("cancelled", "the execution ended")),
  };
}

/** The queue as a generator: connect throws into what it reads from, when a call is given up. */
async function* writing<T>(queue: AsyncQueue<T>): AsyncGenerator<T, void, undefined> {
  yield* queue;
}
