import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import {
  type Health as HealthService,
  HealthCheckResponse_ServingStatus as Status,
} from "../../gen/es/health/v1/health_pb.ts";
import { untilAborted } from "../shared/abort.ts";

/** Whether a server takes work, as `grpc.health.v1` tells it. */
export interface Health {
  readonly service: ServiceImpl<typeof HealthService>;
  /** Watches that wait for a change. */
  readonly watchers: number;
  /** Says that no more work is taken, to watchers at once. */
  stop(): void;
  /** Ends every watch. */
  close(): void;
}

/** Serves health for the server as a whole ("") and for each of the named services. */
export function createHealth(services: readonly string[]): Health {
  const names = ["", ...services];
  let status: Status = Status.SERVING;
  let isClosed = false;
  let changes = 0;
  const waiting = new Set<() => void>();
  const notify = () => {
    changes += 1;
    for (const wake of waiting) wake();
  };
  const nextChange = async (signal: AbortSignal) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.add(resolve);
    try {
      await untilAborted(promise, signal);
    } finally {
      waiting.delete(resolve);
    }
  };
  return {
    get watchers() {
      return waiting.size;
    },
    stop() {
      status = Status.NOT_SERVING;
      notify();
    },
    close() {
      isClosed = true;
      notify();
    },
    service: {
      check({ service }) {
        if (names.includes(service)) return { status };
        throw new ConnectError("unknown service", Code.NotFound);
      },
      list: () => ({ statuses: Object.fromEntries(names.map((name) => [name, { status }])) }),
      async *watch({ service }, { signal }) {
        let told: Status | undefined;
        while (!isClosed) {
          const next = names.includes(service) ? status : Status.SERVICE_UNKNOWN;
          const seen = changes;
          if (next !== told) yield { status: next };
          told = next;
          if (isClosed || seen !== changes) continue;
          await nextChange(signal);
        }
      },
    },
  };
}
