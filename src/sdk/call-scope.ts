import { Code, ConnectError } from "@connectrpc/connect";
import { CodemodeError, type ErrorOptions } from "../shared/errors.ts";

/** The lifetime of one call: its signal, and the error that its caller gets when it is given up. */
export class CallScope {
  readonly #controller = new AbortController();
  #error: CodemodeError | undefined;

  /** Aborts when the call is given up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the call was given up; undefined while it was not. */
  get error(): CodemodeError | undefined {
    return this.#error;
  }

  /** Gives the call up; only the first error counts. */
  abort(error: CodemodeError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    // connect-node resets the stream with CANCEL for this code only, otherwise with INTERNAL_ERROR.
    this.#controller.abort(new ConnectError(error.message, Code.Canceled));
  }
}

/** The error of a call whose signal aborted; the signal's reason is its cause. */
export function cancelledBy(signal: AbortSignal | undefined, options: ErrorOptions): CodemodeError {
  return new CodemodeError("cancelled", "the call was cancelled by its signal", {
    ...options,
    cause: signal?.reason,
  });
}
