import type { Limits, ToolAnswer } from "../shared/model.ts";
import { Stop } from "../shared/stop.ts";

/** Sizes of tool payloads, bytes of JSON text. */
export interface PayloadBounds {
  /** The arguments or the result of one call. */
  readonly payloadBytes: number;
  /** Calls and results of an execution together: its log holds them all. */
  readonly totalPayloadBytes: number;
}

type CallLimits = Pick<Limits, "toolCalls" | "openToolCalls">;

// What the log holds of a call beside its texts.
const bytesPerCall = 256;

/** A call, as it counts. */
export interface CallCost {
  /** Calls so far, this one included. */
  readonly calls: number;
  /** Calls that are open beside it. */
  readonly open: number;
  /** Of its texts: arguments, key and name of the tool. */
  readonly bytes: number;
}

/** What one execution may spend on tool calls: their number, how many are open, and their bytes. */
export class CallBudget {
  readonly #limits: CallLimits;
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(limits: CallLimits, { totalPayloadBytes }: PayloadBounds) {
    this.#limits = limits;
    this.#maxBytes = totalPayloadBytes;
  }

  /** Spends a call; gives the reason to stop the program when it is one too many. */
  spend({ calls, open, bytes }: CallCost): Stop | undefined {
    const { toolCalls, openToolCalls } = this.#limits;
    if (calls > toolCalls) return over(`made more than ${toolCalls} tool calls`);
    if (open >= openToolCalls)
      return over(`had more than ${openToolCalls} tool calls open at once`);
    return this.#spendBytes(bytes + bytesPerCall);
  }

  /** Spends an answer; gives the reason to stop the program when it is too much. */
  take(answer: ToolAnswer): Stop | undefined {
    const text = "error" in answer ? answer.error.message : answer.resultJson;
    return this.#spendBytes(Buffer.byteLength(text));
  }

  #spendBytes(bytes: number): Stop | undefined {
    this.#bytes += bytes;
    if (this.#bytes <= this.#maxBytes) return undefined;
    return over(`moved more than ${this.#maxBytes} bytes through tool calls`);
  }
}

function over(what: string): Stop {
  return new Stop("tool_budget", `the program ${what}`);
}
