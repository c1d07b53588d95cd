import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  ExecuteResponseSchema,
  type ExecutorService,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { forkSignal, untilAborted } from "../shared/abort.ts";
import { CappedText } from "../shared/capped-text.ts";
import type { ExecutionRequest, ServerInfo } from "../shared/model.ts";
import { toEventMessage } from "../shared/wire/event.ts";
import { toExecutionMessage } from "../shared/wire/execution.ts";
import { toServerInfoMessage } from "../shared/wire/server-info.ts";
import { parseToolResult, readAnswers, readStart } from "./answers.ts";
import { getCall } from "./call.ts";
import { callEnded } from "./endings.ts";
import type { Executions } from "./executions.ts";
import { Faults } from "./faults.ts";
import { eventView } from "./payloads.ts";
import { parseExecutionRequest, type RequestBounds } from "./request.ts";

/** What the service stands on. */
export interface ExecutorServiceDeps {
  readonly executions: Executions;
  readonly serverInfo: () => ServerInfo;
  readonly bounds: RequestBounds;
}

// With a result of 1 MiB and its text this stays below the 4 MiB that stock clients receive.
const maxChannelBytes = 1024 * 1024;

/** The RPCs of `codemode.v1.ExecutorService`. */
export function createExecutorService(
  deps: ExecutorServiceDeps,
): ServiceImpl<typeof ExecutorService> {
  const { executions, serverInfo, bounds } = deps;
  return {
    async execute(message, context) {
      const call = getCall(context.values);
      const request = parseExecutionRequest(message.request, bounds, call.correlationId);
      refuseInline(request);
      await using execution = executions.start(request, call, context.signal);
      const stdout = new CappedText(maxChannelBytes);
      const stderr = new CappedText(maxChannelBytes);
      for await (const event of execution.events()) {
        if (event.type === "output")
          (event.channel === "stdout" ? stdout : stderr).append(event.text);
      }
      return create(ExecuteResponseSchema, {
        execution: toExecutionMessage(execution.summary()),
        stdout: stdout.toString(),
        stderr: stderr.toString(),
        stdoutOmittedBytes: BigInt(stdout.omittedBytes),
        stderrOmittedBytes: BigInt(stderr.omittedBytes),
      });
    },

    async *executeStream(message, context) {
      const call = getCall(context.values);
      const request = parseExecutionRequest(message.request, bounds, call.correlationId);
      await using execution = executions.start(request, call, context.signal);
      const view = eventView(message.payloads, request.tools);
      for await (const event of execution.events()) yield { event: toEventMessage(view(event)) };
    },

    async *executeInteractive(messages, context) {
      const call = getCall(context.values);
      const input = messages[Symbol.asyncIterator]();
      const start = await readStart(input, context.signal);
      const request = parseExecutionRequest(start.request, bounds, call.correlationId);
      // A caller that breaks the protocol of its stream ends its own call.
      using reading = forkSignal(context.signal);
      await using execution = executions.start(request, call, reading.signal);
      void readAnswers(input, execution, reading.abort);
      const view = eventView(start.payloads, request.tools);
      for await (const event of execution.events()) yield { event: toEventMessage(view(event)) };
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

/** A unary call has no way for the caller to see and answer the calls of its tools. */
function refuseInline({ tools }: ExecutionRequest): void {
  if (tools.length === 0) return;
  const faults = new Faults();
  faults.add(
    "request.tools",
    "cannot be called by Execute: use ExecuteInteractive or ExecuteStream, or tool_services",
  );
  throw faults.toError();
}
