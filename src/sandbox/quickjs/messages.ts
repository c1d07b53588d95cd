// Between the service and the engine process, on one stream: u32 length, u8 type, u32 guest, payload;
// numbers are little-endian. A message that is of no guest has guest 0.
const headerBytes = 9;

/** What a message is about. Those to the engine are below 64, those from it above. */
export const messageTypes = {
  /** What the engine is made of, once. */
  boot: 1,
  /** A place for a guest of a group is wanted. JSON. */
  lease: 2,
  /** Bounds of a guest's program, before its first frame. JSON. */
  start: 3,
  /** One frame for a guest. */
  frame: 4,
  /** A guest may send so many bytes more. u32 */
  credit: 5,
  kill: 6,
  ping: 7,
  /** The engine is ready. JSON. */
  ready: 65,
  /** A place has been found. */
  leased: 66,
  /** Bytes of a guest's frames. */
  data: 67,
  /** A guest has ended. JSON. */
  end: 68,
  pong: 69,
  /** A thread, by its name, has computed for a while, and is to let others go first. JSON. */
  standBack: 70,
} as const;

/** A message as it came. */
export interface Message {
  readonly type: number;
  readonly guest: number;
  readonly payload: Buffer;
}

/** Bytes that a guest may send beyond what the service has taken. */
export const creditBytes = 256 * 1024;

/** A message as bytes. */
export function toMessage(type: number, guest: number, payload: Uint8Array = new Uint8Array()) {
  const message = Buffer.allocUnsafe(headerBytes + payload.length);
  message.writeUInt32LE(payload.length, 0);
  message.writeUInt8(type, 4);
  message.writeUInt32LE(guest, 5);
  message.set(payload, headerBytes);
  return message;
}

/** A message whose payload is JSON. */
export function toJsonMessage(type: number, guest: number, value: object): Buffer {
  return toMessage(type, guest, Buffer.from(JSON.stringify(value)));
}

/** A message that gives a guest credit. */
export function toCredit(guest: number, bytes: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32LE(bytes, 0);
  return toMessage(messageTypes.credit, guest, payload);
}

/** Cuts a byte stream into messages. Throws for one whose payload is longer than allowed. */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  #payload: Buffer | undefined;
  #payloadFilled = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The messages that `chunk` completes; their payloads may be parts of it. */
  push(chunk: Buffer): Message[] {
    const messages: Message[] = [];
    let rest = chunk;
    for (;;) {
      if (this.#payload === undefined) {
        const taken = rest.copy(this.#header, this.#headerFilled);
        this.#headerFilled += taken;
        rest = rest.subarray(taken);
        if (this.#headerFilled < headerBytes) return messages;
        const length = this.#header.readUInt32LE(0);
        if (length > this.#maxBytes) {
          throw new Error(`a message of ${length} bytes, at most ${this.#maxBytes}`);
        }
        if (rest.length >= length) {
          messages.push(this.#complete(rest.subarray(0, length)));
          rest = rest.subarray(length);
          continue;
        }
        this.#payload = Buffer.allocUnsafeSlow(length);
        this.#payloadFilled = 0;
      }
      const taken = rest.copy(this.#payload, this.#payloadFilled);
      this.#payloadFilled += taken;
      rest = rest.subarray(taken);
      if (this.#payloadFilled < this.#payload.length) return messages;
      messages.push(this.#complete(this.#payload));
    }
  }

  #complete(payload: Buffer): Message {
    this.#payload = undefined;
    this.#headerFilled = 0;
    return { type: this.#header.readUInt8(4), guest: this.#header.readUInt32LE(5), payload };
  }
}
