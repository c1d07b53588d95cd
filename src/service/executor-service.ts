import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  ExecutionEvent as ExecutionEventMessage,
  ExecutionRequest as RequestMessage,
} from "../../gen/es/codemode/v1/execution_pb.ts";
import {
  ExecuteResponseSchema,
  type ExecutorService,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import type { ToolPayloads } from "../../gen/es/codemode/v1/tool_pb.ts";
import { forkSignal, untilAborted } from "../shared/abort.ts";
import { CappedText } from "../shared/capped-text.ts";
import type { ExecutionRequest, ServerInfo, ToolDeclaration } from "../shared/model.ts";
import { executionIdTrailer } from "../shared/status.ts";
import { toAttachedMessages } from "../shared/wire/attached.ts";
import { toEventMessage } from "../shared/wire/event.ts";
import { toExecutionMessage } from "../shared/wire/execution.ts";
import { toServerInfoMessage } from "../shared/wire/server-info.ts";
import { parseToolResult, readAnswers, readStart } from "./answers.ts";
import { type Call, getCall, getTimedCall } from "./call.ts";
import { DeclaredTools } from "./declared-tools.ts";
import { callEnded } from "./endings.ts";
import type { Executions } from "./executions.ts";
import { fault } from "./faults.ts";
import type { Idempotency } from "./idempotency.ts";
import { parsePageRequest, toPage } from "./listing.ts";
import { eventView } from "./payloads.ts";
import type { Reader } from "./reader.ts";
import { parseExecutionRequest, type RequestBounds } from "./request.ts";

/** What the service stands on. */
export interface ExecutorServiceDeps {
  readonly executions: Executions;
  readonly idempotency: Idempotency;
  readonly serverInfo: () => ServerInfo;
  readonly bounds: RequestBounds;
}

// With a result of 1 MiB and its text this stays below the 4 MiB that stock clients receive.
const maxChannelBytes = 1024 * 1024;

/** The RPCs of `codemode.v1.ExecutorService`. */
export function createExecutorService(
  deps: ExecutorServiceDeps,
): ServiceImpl<typeof ExecutorService> {
  const { executions, idempotency, serverInfo, bounds } = deps;
  const declarations = new DeclaredTools();
  const parse = async (message: RequestMessage | undefined, { tenant, correlationId }: Call) => {
    const declared = await declarations.read(message?.tools ?? [], tenant);
    return parseExecutionRequest(message, bounds, correlationId, declared);
  };
  return {
    async execute(message, context) {
      const call = getTimedCall(context);
      const request = await parse(message.request, call);
      refuseInline(request);
      const options = { signal: context.signal, answersTools: false };
      await using reader = await idempotency.start(request, call, options);
      const stdout = new CappedText(maxChannelBytes);
      const stderr = new CappedText(maxChannelBytes);
      // Which channel it was of is not known of output that the log has dropped.
      let droppedBytes = 0;
      for await (const event of reader.events()) {
        if (event.type === "output")
          (event.channel === "stdout" ? stdout : stderr).append(event.text);
        else if (event.type === "trimmed") droppedBytes += event.omittedBytes;
      }
      return create(ExecuteResponseSchema, {
        execution: toExecutionMessage(reader.summary()),
        stdout: stdout.toString(),
        stderr: stderr.toString(),
        stdoutOmittedBytes: BigInt(stdout.omittedBytes + droppedBytes),
        stderrOmittedBytes: BigInt(stderr.omittedBytes),
      });
    },

    async *executeStream(message, context) {
      const call = getTimedCall(context);
      const request = await parse(message.request, call);
      const options = { signal: context.signal, answersTools: false };
      await using reader = await idempotency.start(request, call, options);
      yield* eventsOf(reader, message.payloads, request.tools);
    },

    async *executeInteractive(messages, context) {
      const call = getTimedCall(context);
      const input = messages[Symbol.asyncIterator]();
      const start = await readStart(input, context.signal);
      const request = await parse(start.request, call);
      // A caller that breaks the protocol of its stream ends its own call.
      using reading = forkSignal(context.signal);
      const options = { signal: reading.signal, answersTools: true };
      await using reader = await idempotency.start(request, call, options);
      void readAnswers(input, reader, reading);
      yield* eventsOf(reader, start.payloads, request.tools);
    },

    async *attachExecution({ executionId, afterSequence, answerTools, payloads }, context) {
      const { tenant, setTrailer } = getCall(context.values);
      const place = { afterSequence: Number(afterSequence), answerTools };
      await using reader = await executions.attach(executionId, tenant, place, context.signal);
      setTrailer(executionIdTrailer, executionId);
      yield* toAttachedMessages(reader.attached);
      yield* eventsOf(reader, payloads, reader.tools);
    },

    getExecution({ key }, context) {
      const { tenant } = getCall(context.values);
      if (key.case === undefined) throw fault("key", "is required: execution_id or request_id");
      const known = key.case === "requestId" ? idempotency : executions;
      return { execution: toExecutionMessage(known.get(key.value, tenant)) };
    },

    listExecutions(message, context) {
      const { tenant } = getCall(context.values);
      const { filter, pageSize } = parsePageRequest(message);
      return toPage(executions.list(tenant, filter), pageSize);
    },

    submitToolResult({ executionId, result }, context) {
      const { tenant } = getCall(context.values);
      const answer = parseToolResult(result);
      return { alreadyAnswered: executions.answer(executionId, tenant, answer) };
    },

    async cancelExecution({ executionId }, context) {
      const { tenant } = getCall(context.values);
      const cancelled = executions.cancel(executionId, tenant);
      const execution = await untilAborted(cancelled, context.signal).catch((error: unknown) => {
        throw error === context.signal.reason ? callEnded(error) : error;
      });
      return { execution: toExecutionMessage(execution) };
    },

    getServerInfo() {
      return toServerInfoMessage(serverInfo());
    },
  };
}

/** The events of a reader as its stream carries them; its caller may have to answer calls of `own`. */
async function* eventsOf(
  reader: Reader,
  payloads: ToolPayloads,
  own: readonly ToolDeclaration[],
): AsyncGenerator<{ event: ExecutionEventMessage }> {
  const view = eventView(payloads, own);
  for await (const event of reader.events()) yield { event: toEventMessage(view(event)) };
}

/** A unary call has no way for the caller to see and answer the calls of its tools. */
function refuseInline({ tools }: ExecutionRequest): void {
  if (tools.length === 0) return;
  throw fault(
    "request.tools",
    "cannot be called by Execute: use ExecuteInteractive or ExecuteStream, or tool_services",
  );
}
