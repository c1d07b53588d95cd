import { CodemodeError } from "../shared/errors.ts";

/** A call that runs. */
export interface OpenCall {
  /** Ends the call; never rejects. */
  close(): Promise<void> | void;
}

/** The calls that run through one client, and through the clients bound to it. */
export class OpenCalls {
  readonly #open = new Set<OpenCall>();
  readonly #parent: OpenCalls | undefined;
  #closing: Promise<void> | undefined;

  constructor(parent?: OpenCalls) {
    this.#parent = parent;
  }

  /** Throws `cancelled` when the client, or the one it is bound to, was closed. */
  check(): void {
    this.#parent?.check();
    if (this.#closing !== undefined) throw new CodemodeError("cancelled", "the client is closed");
  }

  add(call: OpenCall): void {
    this.#open.add(call);
    this.#parent?.add(call);
  }

  delete(call: OpenCall): void {
    this.#open.delete(call);
    this.#parent?.delete(call);
  }

  /** Refuses new calls and ends those that run. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#open].map((call) => call.close()));
  }
}
