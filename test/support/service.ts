import {
  ConnectError,
  createClient,
  createRouterTransport,
  type Interceptor,
} from "@connectrpc/connect";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { createLocalDispatcher } from "../../src/dispatch/local.ts";
import { createMemoryStore } from "../../src/execution/memory-store.ts";
import type { Executor } from "../../src/executors/executor.ts";
import { type Call, callKey } from "../../src/service/call.ts";
import { createExecutions } from "../../src/service/executions.ts";
import { createExecutorService } from "../../src/service/executor-service.ts";
import { createIdempotency } from "../../src/service/idempotency.ts";
import { IdempotencyTable } from "../../src/service/idempotency-table.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import type { ServerInfo } from "../../src/shared/model.ts";
import { toConnectError } from "../../src/shared/status.ts";
import {
  noToolServices,
  roomyKeeping,
  roomyLimits,
  roomyPayloads,
  roomyTable,
} from "./requests.ts";
import { createScriptedExecutor, forever, type Script } from "./scripted-executor.ts";

/** What the service says of itself. */
export const serverInfo: ServerInfo = {
  version: "0.1.0",
  instanceId: "i-7",
  engines: [],
  defaultLimits: roomyLimits,
  maxLimits: roomyLimits,
  maxCodeBytes: 1_000,
  maxKeepWithoutReaderMs: 60_000,
  requiredIsolationTier: "T2",
  queueTimeoutMs: 1_000,
};

/** What the edge does, as far as a service sees it: a call in the context, errors as statuses. */
function edge(): Interceptor {
  return (next) => async (request) => {
    const tenant = request.header.get("x-tenant") ?? "acme";
    const trailers: [string, string][] = [];
    const call: Call = {
      tenant,
      correlationId: "c-1",
      async commit() {},
      setTrailer: (name, value) => trailers.push([name, value]),
    };
    request.contextValues.set(callKey, call);
    try {
      const response = await next(request);
      for (const [name, value] of trailers) response.trailer.set(name, value);
      if (!response.stream) return response;
      return { ...response, message: masked(response.message) };
    } catch (error) {
      throw toConnectError(CodemodeError.from(error));
    }
  };
}

async function* masked<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw toConnectError(CodemodeError.from(error));
  }
}

/** The service over scripted programs, through an in-memory transport. One slot, no queue. */
export function setUpService(scripts: Record<string, Script> = {}, executor?: Executor) {
  const scripted = createScriptedExecutor({ forever, four: () => 4, ...scripts });
  const dispatcher = createLocalDispatcher({
    executors: [executor ?? scripted],
    slots: 1,
    queueSize: 0,
    tenantSlots: 1,
    memoryInUse: () => 0,
  });
  const executions = createExecutions({
    dispatcher,
    store: createMemoryStore(),
    instanceId: "i-7",
    queueTimeoutMs: 1_000,
    engineInfo: () => scripted.info(),
    toolServices: noToolServices,
    payloads: roomyPayloads,
    ...roomyKeeping,
  });
  const service = createExecutorService({
    executions,
    idempotency: createIdempotency({ executions, table: new IdempotencyTable(roomyTable) }),
    serverInfo: () => serverInfo,
    bounds: { ...serverInfo, languages: ["python"], toolServices: [] },
  });
  const transport = createRouterTransport((router) => router.service(ExecutorService, service), {
    router: { interceptors: [edge()] },
  });
  return {
    client: createClient(ExecutorService, transport),
    executor: scripted,
    async [Symbol.asyncDispose]() {
      await executions[Symbol.asyncDispose]();
      await dispatcher[Symbol.asyncDispose]();
    },
  };
}

/** The status with which a call fails. */
export async function statusOf(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  throw new Error("the call succeeded");
}
