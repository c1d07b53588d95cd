import type { ExecutionLog } from "../execution/log.ts";
import type { GuestRun, GuestToolCall } from "../executors/executor.ts";
import type { ToolFailure } from "../shared/model.ts";
import { Stop } from "../shared/stop.ts";

/** Answers the calls that no grant covers: each counts and is in the log, and the program goes on. */
export class RefusedCalls {
  readonly #maxCalls: number;
  #count = 0;

  constructor(maxCalls: number) {
    this.#maxCalls = maxCalls;
  }

  /** Calls so far. */
  get count(): number {
    return this.#count;
  }

  /** Refuses a call; gives the reason to stop the program when it has used up its calls. */
  async refuse(
    guestCall: GuestToolCall,
    run: GuestRun,
    log: ExecutionLog,
  ): Promise<Stop | undefined> {
    this.#count += 1;
    if (this.#count > this.#maxCalls) {
      return new Stop("tool_budget", `the program made more than ${this.#maxCalls} tool calls`);
    }
    const { call, callKey, tool, argumentsJson } = guestCall;
    const callId = String(call);
    const message = `the tool ${JSON.stringify(tool)} is not granted`;
    const error: ToolFailure = { kind: "not_granted", type: "", message };
    await log.append({ type: "tool_call", callId, callKey, tool, argumentsJson });
    await log.append({ type: "tool_result", callId, error });
    run.deliver({ call, error });
    return undefined;
  }
}
