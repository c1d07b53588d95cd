import {
  append,
  apply,
  hidden,
  itemsOf,
  NewDomException,
  NewTypeError,
  NewWeakMap,
  toText,
  weakGet,
  weakSet,
} from "./primordials.ts";
import { setTimer } from "./timers.ts";
import { elapsedMs } from "./web.ts";

type Callback = (event: PlainEvent) => unknown;
type Listener = Callback | { handleEvent(event: PlainEvent): unknown };

interface Registered {
  readonly type: string;
  readonly listener: Listener;
  readonly isOnce: boolean;
}

/** `Event`, as far as there is something to dispatch. */
class PlainEvent {
  readonly type: string;
  readonly cancelable: boolean;
  readonly timeStamp = elapsedMs();
  defaultPrevented = false;
  target: unknown = null;

  constructor(type: string, options: { readonly cancelable?: boolean } = {}) {
    this.type = toText(type);
    this.cancelable = options.cancelable === true;
  }

  preventDefault(): void {
    if (this.cancelable) this.defaultPrevented = true;
  }
}

const listeners = new NewWeakMap<object, Registered[]>();

function listenersOf(target: object): Registered[] {
  const list = weakGet(listeners, target) as Registered[] | undefined;
  if (list === undefined) throw new NewTypeError("it is not an EventTarget");
  return list;
}

const isSame = (each: Registered | undefined, type: string, listener: unknown) =>
  each?.type === type && each.listener === listener;

/** Gives false where it is there already. */
function add(target: object, type: string, listener: Listener, isOnce = false): boolean {
  const list = listenersOf(target);
  for (let index = 0; index < list.length; index++) {
    if (isSame(list[index], type, listener)) return false;
  }
  append(list, { type, listener, isOnce });
  return true;
}

/** Leaves the list as it is for whoever is going through it. */
function remove(target: object, type: string, listener: unknown): void {
  const list = listenersOf(target);
  const others: Registered[] = [];
  for (let index = 0; index < list.length; index++) {
    if (!isSame(list[index], type, listener)) append(others, list[index] as Registered);
  }
  weakSet(listeners, target, others);
}

function dispatch(target: object, event: PlainEvent): boolean {
  event.target = target;
  const handler = (target as Record<string, unknown>)[`on${event.type}`];
  if (typeof handler === "function") apply(handler as Callback, target, [event]);
  const list = listenersOf(target);
  const { length } = list; // a listener that is added now hears the next
  for (let index = 0; index < length; index++) {
    const { type, listener, isOnce } = list[index] as Registered;
    if (type !== event.type) continue;
    if (isOnce) remove(target, type, listener);
    if (typeof listener === "function") apply(listener, target, [event]);
    else listener.handleEvent(event);
  }
  return !event.defaultPrevented;
}

/** `EventTarget`, without phases: there is no tree. */
class PlainEventTarget {
  constructor() {
    weakSet(listeners, this, []);
  }

  addEventListener(
    type: string,
    listener: Listener | null,
    options?: { once?: boolean; signal?: PlainAbortSignal },
  ): void {
    if (listener === null || listener === undefined || options?.signal?.aborted) return;
    const isOnce = typeof options === "object" && options?.once === true;
    const isNew = add(this, type, listener, isOnce);
    if (isNew && options?.signal) add(options.signal, "abort", () => remove(this, type, listener));
  }

  removeEventListener(type: string, listener: Listener | null): void {
    remove(this, type, listener);
  }

  dispatchEvent(event: PlainEvent): boolean {
    return dispatch(this, event);
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
    const sources = itemsOf(signals);
    for (let index = 0; index < sources.length && !any.aborted; index++) {
      const source = sources[index] as PlainAbortSignal;
      if (source.aborted) trigger(any, source.reason);
      else add(source, "abort", () => trigger(any, source.reason));
    }
    return any;
  }
}

function trigger(signal: PlainAbortSignal, reason: unknown): void {
  if (signal.aborted) return;
  signal.aborted = true;
  signal.reason =
    reason === undefined ? new NewDomException("This operation was aborted", "AbortError") : reason;
  dispatch(signal, new PlainEvent("abort"));
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
