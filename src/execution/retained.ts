import type { ExecutionEvent, Outcome } from "../shared/model.ts";

type Trimmed = Extract<ExecutionEvent, { type: "trimmed" }>;
type Output = Extract<ExecutionEvent, { type: "output" }>;

// Below this many dead slots at the head, copying the living ones costs more than it frees.
const compactAfter = 256;

// What an event weighs beside its text, so that a flood of single characters is bounded too.
const eventBytes = 256;

/** What an event counts for where output is bounded, bytes; only output counts. */
export function outputCost(event: ExecutionEvent): number {
  return event.type === "output" ? Buffer.byteLength(event.text) + eventBytes : 0;
}

/** What an event takes up while it is kept, bytes: its texts, and what every event has. */
export function eventCost(event: ExecutionEvent): number {
  switch (event.type) {
    case "output":
      return outputCost(event);
    case "tool_call":
      return textBytes(event.callKey, event.tool, event.argumentsJson);
    case "tool_result":
      return "error" in event ? textBytes(event.error.message) : textBytes(event.resultJson);
    case "finished":
      return textBytes() + outcomeCost(event.outcome);
    default:
      return textBytes();
  }
}

/** What the texts of an outcome take up, bytes. */
export function outcomeCost(outcome: Outcome): number {
  if (outcome.status === "completed") {
    const { json = "", text, conversions, notes } = outcome.value;
    const places = conversions.flatMap(({ path, type }) => [path, type]);
    return [json, text, ...places, ...notes].reduce(
      (sum, each) => sum + Buffer.byteLength(each),
      0,
    );
  }
  const { message, traceback } = outcome.error;
  return Buffer.byteLength(message) + Buffer.byteLength(traceback);
}

function textBytes(...texts: readonly string[]): number {
  return texts.reduce((bytes, text) => bytes + Buffer.byteLength(text), eventBytes);
}

/**
 * The kept part of one log: everything but output for as long as it lives, and the newest output up
 * to a number of bytes (as `outputCost` counts them); a `trimmed` event stands where output was dropped.
 */
export class RetainedEvents {
  readonly #keptOutputBytes: number;
  /** Everything but output, `trimmed` marks included, in order. */
  #fixed: ExecutionEvent[] = [];
  /** Output in order, dead before `#head`. */
  #output: (Output | undefined)[] = [];
  #head = 0;
  #outputBytes = 0;
  #fixedBytes = 0;

  constructor(keptOutputBytes: number) {
    this.#keptOutputBytes = keptOutputBytes;
  }

  /** What is kept, as `eventCost` counts it. */
  get bytes(): number {
    return this.#outputBytes + this.#fixedBytes;
  }

  add(event: ExecutionEvent): void {
    if (event.type !== "output") {
      this.#fixed.push(event);
      this.#fixedBytes += eventCost(event);
      return;
    }
    this.#output.push(event);
    this.#outputBytes += outputCost(event);
    while (this.#outputBytes > this.#keptOutputBytes) this.#trimOldest();
  }

  /** Events after a sequence, in order, at most `limit` of them. */
  after(sequence: number, limit: number): ExecutionEvent[] {
    const events: ExecutionEvent[] = [];
    let fixed = firstAfter(this.#fixed, 0, sequence);
    let output = firstAfter(this.#output, this.#head, sequence);
    while (events.length < limit) {
      const nextFixed = this.#fixed[fixed];
      const nextOutput = this.#output[output];
      if (nextFixed !== undefined && nextFixed.sequence < (nextOutput?.sequence ?? Infinity)) {
        events.push(nextFixed);
        fixed += 1;
      } else if (nextOutput !== undefined) {
        events.push(nextOutput);
        output += 1;
      } else break;
    }
    return events;
  }

  #trimOldest(): void {
    const oldest = this.#output[this.#head];
    if (oldest === undefined) return;
    this.#output[this.#head] = undefined;
    this.#head += 1;
    if (this.#head >= compactAfter && this.#head * 2 >= this.#output.length) {
      this.#output = this.#output.slice(this.#head);
      this.#head = 0;
    }
    this.#outputBytes -= outputCost(oldest);
    this.#mark(oldest, Buffer.byteLength(oldest.text));
  }

  /** Extends the mark that ends right before the dropped event, or sets a new one in its place. */
  #mark({ sequence, time, attempt }: Output, bytes: number): void {
    const place = firstAfter(this.#fixed, 0, sequence);
    const before = this.#fixed[place - 1];
    const mark: Trimmed = {
      type: "trimmed",
      firstSequence: sequence,
      omittedBytes: bytes,
      sequence,
      time,
      attempt,
    };
    if (before?.type !== "trimmed" || before.sequence !== sequence - 1) {
      this.#fixed.splice(place, 0, mark);
      this.#fixedBytes += eventCost(mark);
      return;
    }
    const { firstSequence, omittedBytes } = before;
    this.#fixed[place - 1] = { ...mark, firstSequence, omittedBytes: omittedBytes + bytes };
  }
}

/** Index, not below `from`, of the first event whose sequence is greater. */
function firstAfter(
  events: readonly (ExecutionEvent | undefined)[],
  from: number,
  sequence: number,
): number {
  let low = from;
  let high = events.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((events[middle]?.sequence ?? 0) > sequence) high = middle;
    else low = middle + 1;
  }
  return low;
}
