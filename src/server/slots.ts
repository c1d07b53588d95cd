import { getHeapStatistics } from "node:v8";

const bytesPerRun = 16 * 1024 * 1024;
const bytesPerRequest = 1024;
const share = 0.8;
const most = 1_000;

/** Executions that memory holds at once, most of them waiting; beyond 1,000 the service's own loop is the bound. */
export function slotsFor(memoryBytes: number): number {
  return Math.max(1, Math.min(most, Math.floor((memoryBytes * share) / bytesPerRun)));
}

/** What V8 lets this process have for its objects and texts, bytes. */
export function heapBytes(): number {
  return getHeapStatistics().heap_size_limit;
}

/** Logs of one tenant that a heap holds beside those of others and all else: a quarter of it, bytes. */
export function logBytesFor(heapSize: number): number {
  return Math.floor(heapSize / 4);
}

/** Outcomes of remembered requests that a heap holds beside all else: a sixteenth of it, bytes. */
export function outcomeBytesFor(heapSize: number): number {
  return Math.max(16 * 1024 * 1024, Math.floor(heapSize / 16));
}

/** Request ids that a tenth of a heap holds; each takes some 700 bytes with a small outcome. */
export function requestsFor(heapSize: number): number {
  return Math.max(1_000, Math.floor(heapSize / 10 / bytesPerRequest));
}
