/** A signal that aborts after a time or with its parent, until it is disposed. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
}

/** Options of `startDeadline`. */
export interface DeadlineOptions {
  readonly ms: number;
  /** Becomes `signal.reason` when the time is up. */
  readonly reason: unknown;
  readonly parent?: AbortSignal | undefined;
}

// A timer of Node takes at most 2^31-1 ms; a longer one would fire at once.
const longestTimerMs = 2 ** 31 - 1;

/** Starts a deadline; unlike `AbortSignal.timeout` it can be cleared and keeps its reason. */
export function startDeadline({ ms, reason, parent }: DeadlineOptions): Deadline {
  const child = forkSignal(parent);
  if (child.signal.aborted) return child;
  const timer = startTimer(ms, () => child.abort(reason));
  return {
    signal: child.signal,
    [Symbol.dispose]() {
      timer[Symbol.dispose]();
      child[Symbol.dispose]();
    },
  };
}

/** Calls back once after a time, unless it is disposed before. */
export function startTimer(ms: number, callback: () => void): Disposable {
  const timer = setTimeout(callback, Math.min(ms, longestTimerMs));
  return {
    [Symbol.dispose]() {
      clearTimeout(timer);
    },
  };
}

/** A signal that aborts on its own or with its parent; disposing it cuts it from the parent. */
export interface ForkedSignal extends Disposable {
  readonly signal: AbortSignal;
  readonly abort: (reason: unknown) => void;
}

/** Makes a signal of one's own under a parent; unlike `AbortSignal.any` it leaves nothing behind. */
export function forkSignal(parent: AbortSignal | undefined): ForkedSignal {
  const controller = new AbortController();
  const listener = onAbort(parent, (reason) => controller.abort(reason));
  return {
    signal: controller.signal,
    abort(reason) {
      listener[Symbol.dispose]();
      controller.abort(reason);
    },
    [Symbol.dispose]: listener[Symbol.dispose],
  };
}

/** Calls back once, with the reason, when the signal aborts or if it has; never after disposal. */
export function onAbort(
  signal: AbortSignal | undefined,
  callback: (reason: unknown) => void,
): Disposable {
  const listener = () => callback(signal?.reason);
  if (signal?.aborted) listener();
  else signal?.addEventListener("abort", listener, { once: true });
  return {
    [Symbol.dispose]() {
      signal?.removeEventListener("abort", listener);
    },
  };
}

/** Resolves after a time; rejects with the signal's reason when it aborts. */
export async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _ = startTimer(ms, resolve);
  await untilAborted(promise, signal);
}

/** The promise, or a rejection with the signal's reason, whichever comes first. */
export function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  const { promise: first, resolve, reject } = Promise.withResolvers<T>();
  const listener = onAbort(signal, (reason) => {
    reject(reason);
  });
  const release = () => listener[Symbol.dispose]();
  promise.then(resolve, reject).then(release);
  return first;
}
