/** Reads numbered, timed lines of one length from text that is cut anywhere; knows when one is missing. */
export class LineCheck {
  bytes = 0;
  events = 0;
  readonly #lineBytes: number;
  readonly #printedAt: bigint[] = [];
  #rest = "";

  constructor(lineBytes: number) {
    this.#lineBytes = lineBytes;
  }

  /** Takes the next piece of text; throws when a line is not the next one. */
  take(text: string): void {
    this.bytes += text.length;
    this.events += 1;
    const all = this.#rest + text;
    let at = 0;
    for (; at + this.#lineBytes <= all.length; at += this.#lineBytes) {
      const number = Number(all.slice(at, at + 9));
      if (number !== this.#printedAt.length || all[at + this.#lineBytes - 1] !== "\n") {
        throw new Error(`line ${this.#printedAt.length} is lost: there is ${number}`);
      }
      this.#printedAt.push(BigInt(all.slice(at + 10, at + 30)));
    }
    this.#rest = all.slice(at);
  }

  /** Throws unless exactly so many whole lines came. */
  expect(lines: number): void {
    if (this.#printedAt.length !== lines || this.#rest !== "") {
      throw new Error(`${this.#printedAt.length} of ${lines} lines arrived`);
    }
  }

  /** Lines that had been printed at a time of CLOCK_MONOTONIC, nanoseconds. */
  linesPrintedBefore(time: bigint): number {
    return this.#printedAt.filter((printedAt) => printedAt < time).length;
  }
}
