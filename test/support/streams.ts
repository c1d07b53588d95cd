import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";
import type {
  ExecutionEvent as EventMessage,
  ExecutionRequestSchema,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import type {
  AttachExecutionRequestSchema,
  Attached as AttachedMessage,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import type { Attached, ExecutionEvent } from "../../src/shared/model.ts";
import { fromAttachedMessage } from "../../src/shared/wire/attached.ts";
import { fromEventMessage } from "../../src/shared/wire/event.ts";
import type { TestClient } from "./client.ts";

/** A stream of a log that the test reads step by step, and can drop. */
export interface LogStream {
  /** Events so far. */
  readonly seen: readonly ExecutionEvent[];
  /** The first message of a stream that was attached. */
  readonly attached: Attached | undefined;
  /** The execution's id, once `started` has been seen. */
  id(): string;
  /** The next event; undefined at the end. Rejects with the stream's status. */
  next(): Promise<ExecutionEvent | undefined>;
  /** Reads up to the next event of a type. */
  until<T extends ExecutionEvent["type"]>(type: T): Promise<Extract<ExecutionEvent, { type: T }>>;
  /** Reads to the end, and gives all that was seen. */
  rest(): Promise<readonly ExecutionEvent[]>;
  /** The caller is gone: resets the stream. */
  drop(): void;
}

/** Starts an execution with ExecuteStream. */
export function startStream(
  { executor }: Pick<TestClient, "executor">,
  request: MessageInitShape<typeof ExecutionRequestSchema>,
  options: CallOptions = {},
): LogStream {
  const caller = new AbortController();
  const call = { ...options, signal: caller.signal };
  return toLogStream(executor.executeStream({ request }, call), caller);
}

/** Attaches to an execution; resolves when the server has said where its log stands. */
export async function attachStream(
  { executor }: Pick<TestClient, "executor">,
  request: MessageInitShape<typeof AttachExecutionRequestSchema>,
  options: CallOptions = {},
): Promise<LogStream & { readonly attached: Attached }> {
  const caller = new AbortController();
  const responses = executor.attachExecution(request, { ...options, signal: caller.signal });
  const iterator = responses[Symbol.asyncIterator]();
  const first = await iterator.next();
  const attached: AttachedMessage | undefined = first.done ? undefined : first.value.attached;
  if (attached === undefined) throw new Error("the first message is not `attached`");
  const stream = toLogStream({ [Symbol.asyncIterator]: () => iterator }, caller);
  return { ...stream, attached: fromAttachedMessage(attached) };
}

function toLogStream(
  responses: AsyncIterable<{ event?: EventMessage | undefined }>,
  caller: AbortController,
): LogStream {
  const iterator = responses[Symbol.asyncIterator]();
  const seen: ExecutionEvent[] = [];
  const stream: LogStream = {
    seen,
    attached: undefined,
    id() {
      const [first] = seen;
      if (first?.type !== "started") throw new Error("not started yet");
      return first.executionId;
    },
    async next() {
      const { value, done } = await iterator.next();
      if (done === true) return undefined;
      const event = value.event && fromEventMessage(value.event);
      if (event === undefined) throw new Error("an event without a body");
      seen.push(event);
      return event;
    },
    async until(type) {
      for (;;) {
        const event = await stream.next();
        if (event === undefined) throw new Error(`the stream ended before ${type}`);
        if (event.type === type) return event as never;
      }
    },
    async rest() {
      while ((await stream.next()) !== undefined);
      return seen;
    },
    drop: () => caller.abort(),
  };
  return stream;
}

/** Types and sequences of events, for comparing whole logs. */
export const shapeOf = (events: readonly ExecutionEvent[]) =>
  events.map(({ type, sequence }) => `${sequence} ${type}`);
