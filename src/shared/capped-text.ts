/** Text that keeps its first bytes and counts the rest. */
export class CappedText {
  readonly #maxBytes: number;
  readonly #parts: string[] = [];
  #bytes = 0;
  #omittedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  append(text: string): void {
    const bytes = Buffer.byteLength(text);
    // Once something was left out, what follows would stand in the wrong place.
    const room = this.#omittedBytes > 0 ? 0 : this.#maxBytes - this.#bytes;
    const kept = bytes <= room ? text : firstBytes(text, room);
    const keptBytes = bytes <= room ? bytes : Buffer.byteLength(kept);
    if (keptBytes > 0) this.#parts.push(kept);
    this.#bytes += keptBytes;
    this.#omittedBytes += bytes - keptBytes;
  }

  /** Bytes that were left out. */
  get omittedBytes(): number {
    return this.#omittedBytes;
  }

  toString(): string {
    return this.#parts.join("");
  }
}

const mark = "\u2026";

/** A text as it is, or where it is longer than a number of UTF-8 bytes its beginning and a mark: "…". */
export function cutText(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  return `${firstBytes(text, maxBytes - Buffer.byteLength(mark))}${mark}`;
}

/** The longest beginning of a text that fits into a number of UTF-8 bytes, no character split. */
export function firstBytes(text: string, maxBytes: number): string {
  if (maxBytes <= 0) return "";
  const bytes = Buffer.from(text.slice(0, maxBytes));
  let end = Math.min(maxBytes, bytes.length);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end);
}
