import { CodemodeError } from "../shared/errors.ts";
import { RetainedEvents } from "./retained.ts";
import type { ExecutionStore } from "./store.ts";

/** Options of a memory store. */
export interface MemoryStoreOptions {
  /** Output kept of each execution, bytes of UTF-8. Default 4 MiB. */
  readonly keptOutputBytes?: number | undefined;
}

interface MemoryLog {
  writerEpoch: number;
  lastSequence: number;
  readonly retained: RetainedEvents;
}

/** A store that lives and dies with the process. */
export function createMemoryStore(options: MemoryStoreOptions = {}): ExecutionStore {
  const { keptOutputBytes = 4 * 1024 * 1024 } = options;
  const logs = new Map<string, MemoryLog>();

  function logOf(executionId: string): MemoryLog {
    const log = logs.get(executionId);
    if (log === undefined) throw new CodemodeError("not_found", `no execution ${executionId}`);
    return log;
  }

  return {
    async open(executionId) {
      const log = logs.get(executionId) ?? {
        writerEpoch: 0,
        lastSequence: 0,
        retained: new RetainedEvents(keptOutputBytes),
      };
      logs.set(executionId, log);
      log.writerEpoch += 1;
      return { writerEpoch: log.writerEpoch, lastSequence: log.lastSequence };
    },

    async append(executionId, writerEpoch, events) {
      const log = logOf(executionId);
      if (writerEpoch !== log.writerEpoch) {
        throw new CodemodeError(
          "already_exists",
          `epoch ${writerEpoch} of ${executionId} has ended: the log's writer is ${log.writerEpoch}`,
        );
      }
      for (const [index, { sequence }] of events.entries()) {
        const due = log.lastSequence + 1 + index;
        if (sequence === due) continue;
        throw new CodemodeError(
          "already_exists",
          `event ${sequence} of ${executionId} does not follow: ${due} is next`,
        );
      }
      for (const event of events) log.retained.add(event);
      log.lastSequence += events.length;
      return { keptBytes: log.retained.bytes };
    },

    async read(executionId, afterSequence, limit) {
      const log = logOf(executionId);
      return {
        events: log.retained.after(afterSequence, limit),
        lastSequence: log.lastSequence,
      };
    },

    async delete(executionId) {
      logs.delete(executionId);
    },
  };
}
