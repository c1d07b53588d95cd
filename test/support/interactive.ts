import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CallOptions } from "@connectrpc/connect";
import type { ExecutionRequestSchema } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { ExecuteInteractiveRequestSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import type { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { ExecutionEvent, ToolResult } from "../../src/shared/model.ts";
import { AsyncQueue } from "../../src/shared/queue.ts";
import { fromEventMessage } from "../../src/shared/wire/event.ts";
import { toToolResultMessage } from "../../src/shared/wire/tool.ts";
import type { TestClient } from "./client.ts";

type Message = MessageInitShape<typeof ExecuteInteractiveRequestSchema>;

/** An interactive stream, each side of which the test moves by itself. */
export interface Interactive {
  /** Events so far. */
  readonly seen: readonly ExecutionEvent[];
  /** The next event; undefined at the end. */
  next(): Promise<ExecutionEvent | undefined>;
  /** Reads up to the next event of a type. */
  until<T extends ExecutionEvent["type"]>(type: T): Promise<Extract<ExecutionEvent, { type: T }>>;
  /** Reads to the end. */
  rest(): Promise<readonly ExecutionEvent[]>;
  send(message: Message): void;
  answer(result: ToolResult): void;
  /** The caller closes its side. */
  end(): void;
}

/** Opens an interactive stream with `start`. */
export function openInteractive(
  { executor }: Pick<TestClient, "executor">,
  request: MessageInitShape<typeof ExecutionRequestSchema>,
  options: CallOptions & { readonly payloads?: ToolPayloads } = {},
): Interactive {
  const { payloads = 0, ...callOptions } = options;
  const requests = new AsyncQueue<Message>({
    sizeOf: () => 0,
    highWater: 1,
    onFull() {},
    onDrain() {},
  });
  const send = (message: Message) => requests.push(message);
  send({ message: { case: "start", value: { request, payloads } } });
  // Connect wants a `throw`, which a generator has.
  async function* messages() {
    yield* requests;
  }
  const responses = executor.executeInteractive(messages(), callOptions)[Symbol.asyncIterator]();
  const seen: ExecutionEvent[] = [];

  async function next(): Promise<ExecutionEvent | undefined> {
    const { value, done } = await responses.next();
    if (done === true) {
      requests.end();
      return undefined;
    }
    const event = value.event && fromEventMessage(value.event);
    if (event === undefined) throw new Error("an event without a body");
    seen.push(event);
    return event;
  }

  return {
    seen,
    next,
    async until(type) {
      for (;;) {
        const event = await next();
        if (event === undefined) throw new Error(`the stream ended before ${type}`);
        if (event.type === type) return event as never;
      }
    },
    async rest() {
      while ((await next()) !== undefined);
      return seen;
    },
    send,
    answer: (result) =>
      send({ message: { case: "toolResult", value: toToolResultMessage(result) } }),
    end: () => requests.end(),
  };
}
