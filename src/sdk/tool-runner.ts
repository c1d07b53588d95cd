import { CodemodeError } from "../shared/errors.ts";
import type { Attached, ToolCall, ToolResult } from "../shared/model.ts";
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
export type SendResult = (result: ToolResult, executionId: string) => void;

/** A connection to the service. */
export interface AnswerWay {
  readonly send: SendResult;
  /** Undefined where `started` is still to come. */
  readonly executionId: string | undefined;
  /** Where the log stood, for one that was attached to. */
  readonly attached?: Attached;
}

/**
 * Answers the `tool_call` events of one execution, each once, as many at a time as come, over one
 * connection or several: handlers run on while there is none, and no call is started twice. They run
 * in the async context in which the execution was begun, with the execution's own variables entered.
 */
export class ToolRunner {
  readonly #options: ToolRunnerOptions;
  readonly #seen = new Set<string>();
  readonly #open = new Map<string, AbortController>();
  /** Given, and not known to have arrived. */
  readonly #given = new Map<string, ToolResult>();
  #executionId = "";
  #correlationId: string;
  #send: SendResult | undefined;
  /** Calls up to here that are still open came with the attachment. */
  #historyUntil = 0;
  #isClosed = false;

  constructor(options: ToolRunnerOptions) {
    this.#options = options;
    this.#correlationId = options.correlationId;
  }

  /**
   * Answers go this way from now on. After an attachment those are given again that the service does
   * not have, and the calls that are open and new here are started.
   */
  connect({ send, executionId = this.#executionId, attached }: AnswerWay): void {
    this.#send = send;
    this.#executionId = executionId;
    if (attached === undefined) return;
    this.#historyUntil = attached.lastSequence;
    const open = new Set(attached.openCalls.map(({ callId }) => callId));
    for (const [callId, result] of this.#given) {
      if (open.has(callId)) send(result, executionId);
      else this.#given.delete(callId);
    }
    for (const call of attached.openCalls) this.#call(call);
  }

  /** The way is lost: answers wait for the next one. */
  disconnect(): void {
    this.#send = undefined;
  }

  /** Takes note of an event of the execution's log, and answers it where it is a call of ours. */
  take(event: StreamEvent): void {
    switch (event.type) {
      case "started":
        this.#executionId = event.executionId;
        this.#correlationId = event.correlationId || this.#correlationId;
        break;
      case "tool_call":
        if (event.sequence > this.#historyUntil) this.#call(event);
        break;
      case "tool_result":
        // Answered, by us or by the host for us: nobody waits for the handler any more.
        this.#given.delete(event.callId);
        this.#giveUp(event.callId, "the call was given up");
        break;
      case "finished":
        this.close();
    }
  }

  /** Nothing is left to answer: every handler's signal aborts, and no answer is sent any more. */
  close(message = "the execution ended"): void {
    this.#isClosed = true;
    this.#given.clear();
    for (const callId of [...this.#open.keys()]) this.#giveUp(callId, message);
  }

  #call({ callId, argumentsJson, tool: name }: ToolCall): void {
    const tool = this.#options.tools.get(name);
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
      if (!this.#open.delete(callId)) return;
      const result = { callId, ...answer };
      this.#given.set(callId, result);
      this.#send?.(result, this.#executionId);
    });
  }

  #giveUp(callId: string, message: string): void {
    const controller = this.#open.get(callId);
    this.#open.delete(callId);
    const ids = { executionId: this.#executionId, correlationId: this.#correlationId };
    controller?.abort(new CodemodeError("cancelled", message, ids));
  }
}
