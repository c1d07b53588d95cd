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

/** Starts a deadline; unlike `AbortSignal.timeout` it can be cleared and keeps its reason. */
export function startDeadline({ ms, reason, parent }: DeadlineOptions): Deadline {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(reason), ms);
  const onParent = () => controller.abort(parent?.reason);
  if (parent?.aborted) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      clearTimeout(timer);
      parent?.removeEventListener("abort", onParent);
    },
  };
}

/** Resolves after a time; rejects with the signal's reason when it aborts. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  return untilAborted(promise, signal, () => {
    clearTimeout(timer);
    reject(signal?.reason);
  });
}

/** The promise, or a rejection with the signal's reason, whichever comes first. */
export function untilAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  onAbort?: () => void,
): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = () => {
      onAbort?.();
      reject(signal.reason);
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
