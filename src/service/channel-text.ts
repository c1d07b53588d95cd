/** Collects the first bytes of an output channel, and counts the bytes that it leaves out. */
export class ChannelText {
  readonly #maxBytes: number;
  readonly #parts: string[] = [];
  #bytes = 0;
  #omittedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get text(): string {
    return this.#parts.join("");
  }

  get omittedBytes(): number {
    return this.#omittedBytes;
  }

  add(text: string): void {
    const bytes = Buffer.byteLength(text);
    // Once something was left out, what follows would stand in the wrong place.
    const room = this.#omittedBytes > 0 ? 0 : this.#maxBytes - this.#bytes;
    if (bytes <= room) {
      this.#parts.push(text);
      this.#bytes += bytes;
      return;
    }
    const kept = wholeCharacters(Buffer.from(text), room);
    if (kept.length > 0) this.#parts.push(kept.toString());
    this.#bytes += kept.length;
    this.#omittedBytes += bytes - kept.length;
  }
}

/** At most `maxBytes` of UTF-8, cut between two characters. */
function wholeCharacters(utf8: Buffer, maxBytes: number): Buffer {
  let end = Math.min(maxBytes, utf8.length);
  while (end > 0 && ((utf8[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return utf8.subarray(0, end);
}
