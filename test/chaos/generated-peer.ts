import type { ExecutionEvent as EventMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { ExecutionEvent } from "../../src/shared/model.ts";
import { AsyncQueue } from "../../src/shared/queue.ts";
import { fromAttachedMessage } from "../../src/shared/wire/attached.ts";
import { fromEventMessage } from "../../src/shared/wire/event.ts";
import { fromExecutionMessage } from "../../src/shared/wire/execution.ts";
import { toToolResultMessage } from "../../src/shared/wire/tool.ts";
import { connectClient } from "../support/client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import type { Peer, Reading } from "./peer.ts";

/** A client of generated code, behind a proxy of its own. */
export async function connectGenerated(url: string, apiKey: string): Promise<Peer> {
  const proxy = await startCuttingProxy(url);
  const client = connectClient(proxy.url, apiKey);
  const { executor } = client;
  let cutAt = 0;

  const submit: Reading["answer"] = async (executionId, callId, answer) => {
    const result = toToolResultMessage({ callId, ...answer });
    await executor.submitToolResult({ executionId, result });
  };
  return {
    get cutAt() {
      return cutAt;
    },
    async execute(request, timeoutMs) {
      const { execution, stdout, stdoutOmittedBytes } = await executor.execute(
        { request },
        { timeoutMs: timeoutMs ?? 60_000 },
      );
      if (execution === undefined) throw new Error("an answer without an execution");
      return {
        execution: fromExecutionMessage(execution),
        stdout,
        stdoutOmittedBytes: Number(stdoutOmittedBytes),
      };
    },
    start(request, { isInteractive, timeoutMs = 120_000 }) {
      const caller = new AbortController();
      const options = { signal: caller.signal, timeoutMs };
      const drop = () => caller.abort();
      const attached = undefined;
      if (!isInteractive) {
        const responses = executor.executeStream({ request }, options);
        return { events: eventsOf(responses), attached, answer: submit, drop };
      }
      type Message =
        Parameters<typeof executor.executeInteractive>[0] extends AsyncIterable<infer M>
          ? M
          : never;
      const messages = new AsyncQueue<Message>({
        sizeOf: () => 0,
        highWater: 1,
        onFull() {},
        onDrain() {},
      });
      messages.push({ message: { case: "start", value: { request } } });
      // Connect wants a `throw`, which a generator has.
      async function* input() {
        yield* messages;
      }
      const responses = executor.executeInteractive(input(), options);
      async function* events() {
        try {
          yield* eventsOf(responses);
        } finally {
          messages.end();
        }
      }
      const answer: Reading["answer"] = async (_executionId, callId, given) => {
        const value = toToolResultMessage({ callId, ...given });
        messages.push({ message: { case: "toolResult", value } });
      };
      return { events: events(), attached, answer, drop };
    },
    async attach(executionId, { afterSequence, answerTools }) {
      const caller = new AbortController();
      const request = { executionId, afterSequence: BigInt(afterSequence), answerTools };
      const options = { signal: caller.signal, timeoutMs: 120_000 };
      const responses = executor.attachExecution(request, options)[Symbol.asyncIterator]();
      const first = await responses.next();
      if (first.done === true || first.value.attached === undefined) {
        throw new Error("the first message is not `attached`");
      }
      const rest = { [Symbol.asyncIterator]: () => responses };
      const attached = fromAttachedMessage(first.value.attached);
      return { events: eventsOf(rest), attached, answer: submit, drop: () => caller.abort() };
    },
    cut() {
      cutAt = Date.now();
      proxy.cut();
    },
    stall: () => proxy.stall(),
    knock: () => executor.getServerInfo({}, { timeoutMs: 30_000 }),
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

async function* eventsOf(
  responses: AsyncIterable<{ readonly event?: EventMessage | undefined }>,
): AsyncGenerator<ExecutionEvent, void, undefined> {
  for await (const { event } of responses) {
    const body = event && fromEventMessage(event);
    if (body === undefined) throw new Error("an event without a body");
    yield body;
  }
}
