import { CodemodeError } from "../shared/errors.ts";
import type { ToolResult } from "../shared/model.ts";
import { type ContextVariables, inContext } from "./context.ts";
import type { RunnableTool } from "./runnable-tool.ts";
import type { StreamEvent } from "./stream-event.ts";

/** What the tools of one execution run under. */
export interface ToolRunnerOptions {
  readonly tools: ReadonlyMap<string, RunnableTool>;
  /** The execution's own, sealed. */
  readonly context: ContextVariables;
  readonly correlationId: string;
  /** Longest JSON text of a result, bytes. */
  readonly maxBytes: number;
  /** Runs a function in the async context in which the execution was begun. */
  readonly enter: <R>(fn: () => R) => R;
}

/** Hands an answer to the service; never throws. */
export type SendResult = (result: ToolResult) => void;

type Called = Extract<StreamEvent, { type: "tool_call" }>;

/**
 * Answers the `tool_call` events of one execution, each once, as many at a time as come. Handlers run
 * in the async context in which the execution was begun, with the execution's own variables entered.
 */
export class ToolRunner {
  readonly #options: ToolRunnerOptions;
  readonly #seen = new Set<string>();
  readonly #open = new Map<string, AbortController>();
  #executionId = "";
  #correlationId: string;
  #isClosed = false;

  constructor(options: ToolRunnerOptions) {
    this.#options = options;
    this.#correlationId = options.correlationId;
  }

  /** Takes note of an event of the execution's log, and answers it where it is a call of ours. */
  take(event: StreamEvent, send: SendResult): void {
    switch (event.type) {
      case "started":
        this.#executionId = event.executionId;
        this.#correlationId = event.correlationId || this.#correlationId;
        break;
      case "tool_call":
        this.#call(event, send);
        break;
      case "tool_result":
        // Answered, by us or by the host for us: nobody waits for the handler any more.
        this.#giveUp(event.callId, "the call was given up");
        break;
      case "finished":
        this.close();
    }
  }

  /** The execution is over: every handler's signal aborts, and no answer is sent any more. */
  close(): void {
    this.#isClosed = true;
    for (const callId of [...this.#open.keys()]) this.#giveUp(callId, "the execution ended");
  }

  #call(call: Called, send: SendResult): void {
    const { callId, argumentsJson } = call;
    const tool = this.#options.tools.get(call.tool);
    // Calls of tool services are in the log too; the host answers those.
    if (tool === undefined || this.#isClosed || this.#seen.has(callId)) return;
    this.#seen.add(callId);
    const controller = new AbortController();
    this.#open.set(callId, controller);
    const { context, maxBytes, enter } = this.#options;
    const info = {
      context,
      signal: controller.signal,
      executionId: this.#executionId,
      callId,
      correlationId: this.#correlationId,
    };
    const run = () => inContext(context, () => tool.run(argumentsJson, info, maxBytes));
    void enter(run).then((answer) => {
      if (this.#open.delete(callId)) send({ callId, ...answer });
    });
  }

  #giveUp(callId: string, message: string): void {
    const controller = this.#open.get(callId);
    this.#open.delete(callId);
    const ids = { executionId: this.#executionId, correlationId: this.#correlationId };
    controller?.abort(new CodemodeError("cancelled", message, ids));
  }
}
