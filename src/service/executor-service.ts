import { create } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  ExecuteResponseSchema,
  type ExecutorService,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import { untilAborted } from "../shared/abort.ts";
import type { ServerInfo } from "../shared/model.ts";
import { toEventMessage } from "../shared/wire/event.ts";
import { toExecutionMessage } from "../shared/wire/execution.ts";
import { toServerInfoMessage } from "../shared/wire/server-info.ts";
import { getCall } from "./call.ts";
import { ChannelText } from "./channel-text.ts";
import { callEnded } from "./endings.ts";
import type { Executions } from "./executions.ts";
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
      await using execution = executions.start(request, call, context.signal);
      const stdout = new ChannelText(maxChannelBytes);
      const stderr = new ChannelText(maxChannelBytes);
      for await (const event of execution.events()) {
        if (event.type === "output") (event.channel === "stdout" ? stdout : stderr).add(event.text);
      }
      return create(ExecuteResponseSchema, {
        execution: toExecutionMessage(execution.summary()),
        stdout: stdout.text,
        stderr: stderr.text,
        stdoutOmittedBytes: BigInt(stdout.omittedBytes),
        stderrOmittedBytes: BigInt(stderr.omittedBytes),
      });
    },

    async *executeStream(message, context) {
      const call = getCall(context.values);
      const request = parseExecutionRequest(message.request, bounds, call.correlationId);
      await using execution = executions.start(request, call, context.signal);
      for await (const event of execution.events()) yield { event: toEventMessage(event) };
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
