import { hidden, NewDomException, NewTypeError } from "./primordials.ts";
import { setTimer } from "./timers.ts";

type Listener = ((event: PlainEvent) => unknown) | { handleEvent(event: PlainEvent): unknown };

interface Registered {
  readonly type: string;
  readonly listener: Listener;
  readonly isOnce: boolean;
}

/** `Event`, as far as there is something to dispatch. */
class PlainEvent {
  readonly type: string;
  readonly cancelable: boolean;
  readonly timeStamp = performance.now();
  defaultPrevented = false;
  target: unknown = null;

  constructor(type: string, options: { readonly cancelable?: boolean } = {}) {
    this.type = String(type);
    this.cancelable = options.cancelable === true;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }
}

/** `EventTarget`, without phases: there is no tree. */
class PlainEventTarget {
  #listeners: Registered[] = [];

  addEventListener(
    type: string,
    listener: Listener | null,
    options?: { once?: boolean; signal?: PlainAbortSignal },
  ): void {
    if (listener === null || listener === undefined || options?.signal?.aborted) return;
    const isKnown = this.#listeners.some(
      (each) => each.type === type && each.listener === listener,
    );
    if (isKnown) return;
    const isOnce = typeof options === "object" && options?.once === true;
    this.#listeners.push({ type, listener, isOnce });
    options?.signal?.addEventListener("abort", () => this.removeEventListener(type, listener));
  }

  removeEventListener(type: string, listener: Listener | null): void {
    this.#listeners = this.#listeners.filter(
      (each) => each.type !== type || each.listener !== listener,
    );
  }

  dispatchEvent(event: PlainEvent): boolean {
    event.target = this;
    const handler = (this as unknown as Record<string, unknown>)[`on${event.type}`];
    if (typeof handler === "function") handler.call(this, event);
    for (const { type, listener, isOnce } of [...this.#listeners]) {
      if (type !== event.type) continue;
      if (isOnce) this.removeEventListener(type, listener);
      if (typeof listener === "function") listener.call(this, event);
      else listener.handleEvent(event);
    }
    return !event.defaultPrevented;
  }
}

const key = {};

/** `AbortSignal`. */
class PlainAbortSignal extends PlainEventTarget {
  aborted = false;
  reason: unknown = undefined;
  onabort: unknown = null;

  constructor(made?: unknown) {
    super();
    if (made !== key) throw new NewTypeError("Illegal constructor");
  }

  throwIfAborted(): void {
    if (this.aborted) throw this.reason;
  }

  static abort(reason?: unknown): PlainAbortSignal {
    const signal = new PlainAbortSignal(key);
    trigger(signal, reason);
    return signal;
  }

  /** Its timer keeps no program from its end, as in Node. */
  static timeout(ms: number): PlainAbortSignal {
    const signal = new PlainAbortSignal(key);
    const late = () => {
      const reason = new NewDomException(
        "The operation was aborted due to timeout",
        "TimeoutError",
      );
      trigger(signal, reason);
    };
    setTimer(late, ms, [], true);
    return signal;
  }

  static any(signals: Iterable<PlainAbortSignal>): PlainAbortSignal {
    const any = new PlainAbortSignal(key);
    for (const signal of signals) {
      if (signal.aborted) {
        trigger(any, signal.reason);
        break;
      }
      signal.addEventListener("abort", () => trigger(any, signal.reason));
    }
    return any;
  }
}

function trigger(signal: PlainAbortSignal, reason: unknown): void {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason =
    reason === undefined ? new NewDomException("This operation was aborted", "AbortError") : reason;
  signal.dispatchEvent(new PlainEvent("abort"));
}

/** `AbortController`. */
class PlainAbortController {
  readonly signal = new PlainAbortSignal(key);

  abort(reason?: unknown): void {
    trigger(this.signal, reason);
  }
}

/** Puts events and abort signals in their place. For the prelude, once. */
export function defineAbort(): void {
  const classes = {
    Event: PlainEvent,
    EventTarget: PlainEventTarget,
    AbortSignal: PlainAbortSignal,
    AbortController: PlainAbortController,
  };
  for (const [name, made] of Object.entries(classes)) {
    hidden(made, "name", name);
    hidden(globalThis, name, made);
  }
}
