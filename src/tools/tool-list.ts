import { startDeadline, untilAborted } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { declarationFaults, withShortDescription } from "./declaration.ts";

/** Options of a `ToolList`. */
export interface ToolListOptions {
  /** Name of the service, for messages. */
  readonly service: string;
  /** How long a list is good, milliseconds. */
  readonly maxAgeMs: number;
  /** How long it is good even for who asks for a fresh one: a guest may call unknown names in a row. */
  readonly freshMs: number;
  /** Longest wait for a list, milliseconds. */
  readonly timeoutMs: number;
  readonly fetch: (signal: AbortSignal) => Promise<readonly ToolDeclaration[]>;
}

/** The tools of one service, kept for a short while; those who ask at the same time share an answer. */
export class ToolList {
  readonly #options: ToolListOptions;
  #tools: readonly ToolDeclaration[] = [];
  #readAt = Number.NEGATIVE_INFINITY;
  #reading: Promise<readonly ToolDeclaration[]> | undefined;

  constructor(options: ToolListOptions) {
    this.#options = options;
  }

  /** Rejects with a CodemodeError `unavailable`, or with the signal's reason. */
  async get(signal: AbortSignal, isFresh: boolean): Promise<readonly ToolDeclaration[]> {
    const { maxAgeMs, freshMs } = this.#options;
    const ageMs = performance.now() - this.#readAt;
    if (ageMs < (isFresh ? freshMs : maxAgeMs)) return this.#tools;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return await untilAborted(this.#reading, signal);
  }

  /** The next who asks gets a list that is read anew. */
  forget(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  /** Has a deadline of its own: the caller who happens to be first must not end it for the others. */
  async #read(): Promise<readonly ToolDeclaration[]> {
    const { service, timeoutMs, fetch } = this.#options;
    const name = JSON.stringify(service);
    using deadline = startDeadline({ ms: timeoutMs, reason: new Error("the list took too long") });
    let tools: readonly ToolDeclaration[];
    try {
      tools = (await fetch(deadline.signal)).map(withShortDescription);
    } catch (cause) {
      const message = `the tool service ${name} does not tell its tools`;
      throw new CodemodeError("unavailable", message, { cause, retryAfterMs: 1_000 });
    }
    const fault = listFault(tools);
    if (fault !== undefined) {
      const message = `the tool service ${name} has a tool that cannot be served: ${fault}`;
      throw new CodemodeError("unavailable", message, { retryable: false });
    }
    this.#tools = tools;
    this.#readAt = performance.now();
    return tools;
  }
}

function listFault(tools: readonly ToolDeclaration[]): string | undefined {
  const names = new Set<string>();
  for (const tool of tools) {
    const name = JSON.stringify(tool.name.slice(0, 128));
    const [fault] = declarationFaults(tool);
    if (fault !== undefined) return `${name}: ${fault.field} ${fault.description}`;
    if (names.has(tool.name)) return `${name} is listed twice`;
    names.add(tool.name);
  }
  return undefined;
}
