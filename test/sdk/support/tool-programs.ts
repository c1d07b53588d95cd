import { Code, ConnectError } from "@connectrpc/connect";
import type { ExecutionRequest } from "../../../gen/es/codemode/v1/execution_pb.ts";
import type { ExecuteStreamRequest } from "../../../gen/es/codemode/v1/executor_pb.ts";
import { Codemode, type ConnectOptions } from "../../../src/index.ts";
import type { ToolAnswer, ToolResult } from "../../../src/shared/model.ts";
import { AsyncQueue } from "../../../src/shared/queue.ts";
import { fromToolResultMessage } from "../../../src/shared/wire/tool.ts";
import { answer, createLog, failure, success } from "./messages.ts";
import { type Script, startScriptedService } from "./scripted-service.ts";

/** What a program of a test can do, as the service would let a guest. */
export interface ToolProgramHost {
  readonly request: ExecutionRequest;
  /** Aborts when the stream is over. */
  readonly signal: AbortSignal;
  /** Calls a tool and waits for its answer; what came is not put into the log before `settle`. */
  call(tool: string, argumentsJson?: string): Promise<ToolAnswer>;
  print(text: string): void;
  /** Ends a call as the host does when its time is up. */
  settle(result: ToolResult): void;
}

/** A program: what it returns is the JSON text of its value. */
export type ToolProgram = (host: ToolProgramHost) => Promise<string>;

/** How a test looks into the service. */
export interface ToolPrograms {
  readonly script: Script;
  /** Which RPCs were called, in order. */
  readonly roads: string[];
  /** Every answer that came. */
  readonly answers: ToolResult[];
}

type Message = ReturnType<ReturnType<typeof createLog>["started"]>;

/** A service that runs one program of the test, and takes tools' answers on both roads. */
export function toolPrograms(program: ToolProgram): ToolPrograms {
  const roads: string[] = [];
  const answers: ToolResult[] = [];
  const open = new Map<string, (result: ToolResult) => void>();
  let executions = 0;

  function take(executionId: string, result: ToolResult | undefined): void {
    if (result === undefined) throw new ConnectError("no result", Code.InvalidArgument);
    answers.push(result);
    const settle = open.get(`${executionId}/${result.callId}`);
    if (settle === undefined) throw new ConnectError("no such call", Code.NotFound);
    settle(result);
  }

  async function* run(start: ExecuteStreamRequest, signal: AbortSignal, executionId: string) {
    const request = start.request;
    if (request === undefined) throw new ConnectError("no request", Code.InvalidArgument);
    const log = createLog("", executionId);
    const events = new AsyncQueue<Message>({
      sizeOf: () => 1,
      highWater: Number.POSITIVE_INFINITY,
      onFull: () => undefined,
      onDrain: () => undefined,
    });
    let calls = 0;
    events.push(log.started());
    const ended = program({
      request,
      signal,
      call(tool, argumentsJson) {
        calls += 1;
        const callId = `c${calls}`;
        events.push(log.toolCall(callId, tool, argumentsJson));
        return new Promise((resolve) => {
          open.set(`${executionId}/${callId}`, (result) => {
            open.delete(`${executionId}/${callId}`);
            events.push(log.toolResult(result));
            resolve(result);
          });
        });
      },
      print: (text) => events.push(log.output(text)),
      settle: (result) => open.get(`${executionId}/${result.callId}`)?.(result),
    });
    void ended
      .then(
        (json) => events.push(log.finished(success(json))),
        (error: unknown) => events.push(log.finished(failure("exception", String(error)))),
      )
      .then(() => events.end());
    signal.addEventListener("abort", () => events.end());
    yield* events;
  }

  const nextId = () => {
    executions += 1;
    return `i1-e${executions}`;
  };
  return {
    roads,
    answers,
    script: {
      async *executeStream(start, { signal }) {
        roads.push("executeStream");
        yield* run(start, signal, nextId());
      },
      async *executeInteractive(requests, { signal }) {
        roads.push("executeInteractive");
        const reader = requests[Symbol.asyncIterator]();
        const { value } = await reader.next();
        if (value?.message.case !== "start")
          throw new ConnectError("no start", Code.InvalidArgument);
        const executionId = nextId();
        const reading = (async () => {
          for (let step = await reader.next(); !step.done; step = await reader.next()) {
            const { message } = step.value;
            if (message.case === "toolResult")
              take(executionId, fromToolResultMessage(message.value));
          }
        })();
        reading.catch(() => undefined);
        yield* run(value.message.value, signal, executionId);
      },
      submitToolResult({ executionId, result }) {
        roads.push("submitToolResult");
        take(executionId, result && fromToolResultMessage(result));
        return {};
      },
      cancelExecution: () => ({}),
      execute() {
        roads.push("execute");
        return answer(success("1"));
      },
    },
  };
}

/** Starts a service that runs this program, and a client of it. */
export async function startToolProgram(
  program: ToolProgram,
  {
    wrap,
    ...options
  }: Omit<ConnectOptions, "url"> & { readonly wrap?: (script: Script) => Script } = {},
) {
  const programs = toolPrograms(program);
  const { httpVersion = "2" } = options;
  const service = await startScriptedService(
    wrap === undefined ? programs.script : wrap(programs.script),
    { httpVersion },
  );
  const codemode = Codemode.connect({ url: service.url, ...options });
  return {
    ...programs,
    service,
    codemode,
    async [Symbol.asyncDispose]() {
      await codemode.close();
      await service[Symbol.asyncDispose]();
    },
  };
}
