import { setTimeout as sleep } from "node:timers/promises";
import type { JsonValue } from "../../src/shared/model.ts";
import type { Story } from "./story.ts";

/** What a handler is told of its call, by whichever road it came. */
export interface CallInfo {
  readonly executionId: string;
  readonly callId: string;
  /** The execution's context; undefined where the road does not bring it. */
  readonly context: Readonly<Record<string, unknown>> | undefined;
  readonly signal: AbortSignal;
}

/** Arguments of every tool. */
export interface Arguments {
  readonly token?: unknown;
  readonly label?: unknown;
  readonly ms?: unknown;
}

/** The caller's tools of a story, as one host of it runs them: each call is an effect in its ledger. */
export type Handler = (tool: string, args: Arguments, info: CallInfo) => Promise<JsonValue>;

/** Names of the caller's tools. */
export const callerTools = ["effect", "fail", "slow", "never"] as const;

/** Makes the handlers of one host; a host is whoever remembers what it has answered. */
export function createHandler(story: Story, host: string): Handler {
  return async (tool, args, { executionId, callId, context, signal }) => {
    const label = String(args.label);
    const token = String(args.token);
    story.effects.push({ host, executionId, callId, tool, token, label, context, at: Date.now() });
    switch (tool) {
      case "fail":
        throw new Error(`refused ${label}`);
      case "slow":
        await sleep(Number(args.ms), undefined, { signal });
        return label;
      case "never":
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
        return label;
      default:
        return label;
    }
  };
}
