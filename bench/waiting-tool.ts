import { once } from "node:events";
import { z } from "zod";
import { defineTool } from "../src/index.ts";

/** A call of a tool that never answers. */
export interface WaitingCall {
  /** When its signal aborted, in the time of `performance.now`. */
  readonly abortedAt: Promise<number>;
}

/** A tool `wait` that never answers, and knows when it is told to stop. */
export class WaitingTool {
  #called = Promise.withResolvers<WaitingCall>();

  readonly tool = defineTool({
    name: "wait",
    description: "Waits until its signal aborts",
    inputSchema: z.object({}),
    execute: async (_input, { signal }): Promise<never> => {
      const abortedAt = once(signal, "abort").then(() => performance.now());
      this.#called.resolve({ abortedAt });
      await abortedAt;
      throw signal.reason;
    },
  });

  /** The call that comes next, or came since the last one was asked for. */
  async next(): Promise<WaitingCall> {
    const call = await this.#called.promise;
    this.#called = Promise.withResolvers();
    return call;
  }
}
