import type { JsonObject, ToolAnswer, ToolDeclaration } from "../shared/model.ts";

/** What a service is told of the execution that calls, the same for all of its calls. */
export interface CallScope {
  /** The caller's original, whatever the guest did to its copy. */
  readonly context: JsonObject;
  readonly executionId: string;
  readonly correlationId: string;
  /** W3C trace context of the caller, where it sent one. */
  readonly traceparent: string | undefined;
}

/** One call to a service. */
export interface ServiceCall {
  readonly scope: CallScope;
  readonly tool: ToolDeclaration;
  readonly callId: string;
  readonly argumentsJson: string;
  /** When the call's time is up, on the clock of `performance.now()`. */
  readonly endsAt: number;
}

/** An application that answers calls when it is asked to: the road that a request chooses by a name. */
export interface ToolService {
  readonly name: string;
  /**
   * Its tools; a list is good for a while, and with `isFresh` only just read. Rejects with a
   * CodemodeError `unavailable` when it cannot be had, with the signal's reason when that aborts.
   */
  tools(
    signal: AbortSignal,
    options?: { readonly isFresh?: boolean },
  ): Promise<readonly ToolDeclaration[]>;
  /**
   * The answer to a call. A service that fails is an answer too: a failure of kind `unavailable`,
   * `timeout` or `not_granted`. Rejects only with the signal's reason.
   */
  call(call: ServiceCall, signal: AbortSignal): Promise<ToolAnswer>;
}

/** The tool services of a server, by their names. Disposing them ends their connections. */
export interface ToolServices extends Disposable {
  /** In the order of the configuration. */
  readonly names: readonly string[];
  get(name: string): ToolService | undefined;
}
