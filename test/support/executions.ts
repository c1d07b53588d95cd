import type { Dispatcher } from "../../src/dispatch/dispatcher.ts";
import { createLocalDispatcher } from "../../src/dispatch/local.ts";
import { createMemoryStore } from "../../src/execution/memory-store.ts";
import type { ExecutionStore } from "../../src/execution/store.ts";
import type { Executor, GuestEvent, GuestRun } from "../../src/executors/executor.ts";
import type { Call } from "../../src/service/call.ts";
import { createExecutions, type ExecutionsOptions } from "../../src/service/executions.ts";
import type { Reader } from "../../src/service/reader.ts";
import type { ExecutionRequest } from "../../src/shared/model.ts";
import type { PayloadBounds } from "../../src/tools/budget.ts";
import type { ToolServices } from "../../src/tools/tool-service.ts";
import { collect } from "./collect.ts";
import { noToolServices, requestOf, roomyKeeping, roomyPayloads } from "./requests.ts";
import { createScriptedExecutor, forever, type Script } from "./scripted-executor.ts";

/** A signal that does not abort. */
export const never = new AbortController().signal;

/** An executor that plays given events, then ends or throws; it does not look at its signal. */
export function playing(events: readonly GuestEvent[], error?: unknown): Executor {
  return {
    ...createScriptedExecutor({}),
    run: (): GuestRun => ({
      deliver() {},
      async *[Symbol.asyncIterator]() {
        yield* events;
        if (error !== undefined) throw error;
      },
    }),
  };
}

/** What a test may choose. */
export interface Setup {
  readonly executor?: Executor;
  readonly scripts?: Record<string, Script>;
  readonly slots?: number;
  readonly queueTimeoutMs?: number;
  readonly store?: ExecutionStore;
  readonly toolServices?: ToolServices;
  readonly payloads?: PayloadBounds;
  readonly keeping?: Partial<Pick<ExecutionsOptions, "retention" | "followerBounds" | "maxKnown">>;
}

/** The centre of the service over scripted programs, with what its calls were told. */
export function setUpExecutions({
  scripts = {},
  slots = 8,
  queueTimeoutMs = 60_000,
  ...rest
}: Setup = {}) {
  const {
    store = createMemoryStore(),
    executor = createScriptedExecutor({ forever, ...scripts }),
    toolServices = noToolServices,
    payloads = roomyPayloads,
    keeping = {},
  } = rest;
  const scripted = executor as ReturnType<typeof createScriptedExecutor>;
  const dispatcher: Dispatcher = createLocalDispatcher({
    executors: [executor],
    slots,
    queueSize: 8,
    tenantSlots: slots,
    memoryInUse: () => 0,
  });
  const executions = createExecutions({
    dispatcher,
    store,
    instanceId: "i-7",
    queueTimeoutMs,
    engineInfo: () => ({ ...executor.info(), warnings: ["a warning"] }),
    toolServices,
    payloads,
    ...roomyKeeping,
    ...keeping,
  });
  const steps: string[] = [];
  const trailers = new Map<string, string>();
  const callOf = (tenant: string): Call => ({
    tenant,
    correlationId: "c-1",
    commit: async () => {
      steps.push("commit");
    },
    setTrailer: (name, value) => trailers.set(name, value),
  });
  return {
    executions,
    executor: scripted,
    dispatcher,
    store,
    steps,
    trailers,
    start(code: string, fields: Partial<ExecutionRequest> = {}, signal = never, tenant = "acme") {
      return executions.start(requestOf(code, fields), callOf(tenant), signal);
    },
    async [Symbol.asyncDispose]() {
      await executions[Symbol.asyncDispose]();
      await dispatcher[Symbol.asyncDispose]();
    },
  };
}

/** The log of an execution, read to its end. */
export const eventsOf = (reader: Reader) => collect(reader.events());
