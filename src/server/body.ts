import { setImmediate } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import { untilAborted } from "../shared/abort.ts";
import { CodemodeTimeoutError } from "../shared/errors.ts";
import { toConnectError } from "../shared/status.ts";

const envelopeHead = 5;
const firstCapacity = 4 * 1024;
const smallPieceBytes = 1024;

/** Options of `wholeMessages`. */
export interface WholeMessagesOptions {
  /** Whether messages come in gRPC's envelopes; otherwise the body is one message. */
  readonly isEnveloped: boolean;
  /** A message that is larger is passed on as it comes, for the protocol to refuse. */
  readonly maxBytes: number;
  /** Aborts when a message takes too long, or nobody waits for it any more. */
  readonly clock: MessageClock;
  /**
   * Told how many bytes are held, of messages that are unfinished and of those that were handed on
   * until more is asked for; throws where they are too many.
   */
  readonly onHeld: (bytes: number, message: { readonly isFirst: boolean }) => void;
}

/** Measures how long a message takes to come whole. */
export interface MessageClock {
  readonly signal: AbortSignal;
  /** A message has begun; without effect while one is under way. */
  start(): void;
  stop(): void;
  /** The call is over: nobody waits for its messages any more, whether or not the request says so. */
  end(): void;
}

/**
 * A request's body in pieces that end where a message ends. Connect sets aside what a message says it
 * will weigh, and looks at all its pieces again for each that arrives; here a message costs what has
 * come of it, however small its pieces are. Throws the clock's reason.
 */
export async function* wholeMessages(
  body: AsyncIterable<Uint8Array>,
  { isEnveloped, maxBytes, clock, onHeld }: WholeMessagesOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const rest = new Gathered();
  const source = body[Symbol.asyncIterator]();
  let isPassed = false;
  let isFirst = true;
  const next = () => untilAborted(source.next(), clock.signal);
  // The first is late from the moment at which its call came.
  clock.start();
  try {
    for (let step = await next(); step.done !== true; step = await next()) {
      if (isPassed) {
        yield step.value;
        continue;
      }
      rest.append(step.value);
      const end = isEnveloped ? wholeLength(rest.bytes(), maxBytes) : 0;
      isPassed = end === undefined || (!isEnveloped && rest.length > maxBytes);
      const ready = rest.take(isPassed ? rest.length : (end ?? 0));
      if (ready.length > 0) clock.stop();
      onHeld(isPassed ? 0 : ready.length + rest.length, { isFirst });
      if (rest.length > 0) clock.start();
      if (ready.length > 0) {
        isFirst = false;
        yield ready;
        // Nobody asks for more before this has been unfolded and read.
        onHeld(rest.length, { isFirst });
      }
      // Whatever else comes in this turn of the loop is then one piece.
      else if (step.value.length < smallPieceBytes) await setImmediate();
    }
    if (rest.length > 0) yield rest.take(rest.length);
  } finally {
    clock.stop();
    onHeld(0, { isFirst: false });
    // One that is still awaited ends with the request; there is no need to wait for it.
    source.return?.().catch(() => {});
  }
}

/** Makes a clock whose reason is the status of a message that takes longer than `ms`. */
export function createMessageClock(ms: number): MessageClock {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = () => {
    const message = `a message of the call did not come whole within ${ms} ms`;
    controller.abort(toConnectError(new CodemodeTimeoutError(message)));
  };
  return {
    signal: controller.signal,
    start() {
      if (!controller.signal.aborted) timer ??= setTimeout(late, ms);
    },
    stop() {
      clearTimeout(timer);
      timer = undefined;
    },
    end() {
      clearTimeout(timer);
      controller.abort(new ConnectError("the call is over", Code.Canceled));
    },
  };
}

/** Bytes up to the end of the last whole envelope; undefined where one is larger than it may be. */
function wholeLength(bytes: Uint8Array, maxBytes: number): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = 0;
  while (bytes.length - end >= envelopeHead) {
    const length = view.getUint32(end + 1);
    if (length > maxBytes) return undefined;
    if (bytes.length - end - envelopeHead < length) break;
    end += envelopeHead + length;
  }
  return end;
}

/** Bytes that come in pieces; a single piece is never copied. */
class Gathered {
  #buffer: Uint8Array = new Uint8Array(0);
  #length = 0;
  #isOwn = false;

  get length(): number {
    return this.#length;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  append(piece: Uint8Array): void {
    if (this.#length === 0) {
      this.#buffer = piece;
      this.#length = piece.length;
      this.#isOwn = false;
      return;
    }
    const length = this.#length + piece.length;
    if (!this.#isOwn || length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(firstCapacity, 2 * this.#buffer.length, length));
      larger.set(this.bytes());
      this.#buffer = larger;
      this.#isOwn = true;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** Takes bytes from the front; they stay as they are. */
  take(length: number): Uint8Array {
    if (length === 0) return this.#buffer.subarray(0, 0);
    const taken = this.#buffer.subarray(0, length);
    const left = this.#buffer.subarray(length, this.#length);
    this.#buffer = left;
    this.#length = left.length;
    this.#isOwn = false;
    return taken;
  }
}
