import type { GuestToolResult } from "../../src/executors/executor.ts";
import type { EventBody, JsonObject, Limits, ToolDeclaration } from "../../src/shared/model.ts";
import type { Stop } from "../../src/shared/stop.ts";
import { type Refusals, ToolBridge } from "../../src/tools/bridge.ts";
import type { PayloadBounds } from "../../src/tools/budget.ts";
import { openGrants } from "../../src/tools/grants.ts";
import type { ToolService } from "../../src/tools/tool-service.ts";
import { never } from "./executions.ts";
import { roomyLimits, roomyPayloads } from "./requests.ts";

/** What a test of the bridge may choose. */
export interface BridgeSetup {
  /** Tools that the caller answers. */
  readonly inline?: readonly ToolDeclaration[];
  readonly services?: readonly ToolService[];
  readonly limits?: Partial<Limits>;
  readonly payloads?: Partial<PayloadBounds>;
  readonly context?: JsonObject;
  readonly endsAt?: number;
  /** Takes the place of a log that writes at once. */
  readonly append?: (event: EventBody) => Promise<void>;
}

/** A bridge between a guest and a log that only write down what reaches them. */
export async function setUpBridge(setup: BridgeSetup = {}) {
  const { inline = [], services = [], append = async () => {} } = setup;
  /** Log and guest together, in the order in which they were reached. */
  const steps: string[] = [];
  const log: EventBody[] = [];
  const delivered: GuestToolResult[] = [];
  const stops: Stop[] = [];
  const faults: unknown[] = [];
  const refusals: Refusals = { calls: 0, answers: 0 };
  const bridge = new ToolBridge({
    language: "python",
    grants: await openGrants({ inline, services }, never),
    limits: { ...roomyLimits, ...setup.limits },
    payloads: { ...roomyPayloads, ...setup.payloads },
    scope: {
      context: setup.context ?? {},
      executionId: "e-1",
      correlationId: "c-1",
      traceparent: undefined,
    },
    endsAt: setup.endsAt ?? performance.now() + 60_000,
    refusals,
    append: async (event) => {
      log.push(event);
      await append(event);
      steps.push(`${event.type} ${event.callId}`);
    },
    guest: {
      deliver(result) {
        delivered.push(result);
        steps.push(`guest ${result.call}`);
      },
    },
    stop: (stop) => stops.push(stop),
    fail: (error) => faults.push(error),
  });
  let calls = 0;
  return {
    bridge,
    steps,
    log,
    delivered,
    stops,
    faults,
    refusals,
    /** The guest calls a tool; resolves with the number that it gave the call. */
    async call(tool: string, argumentsJson = "{}"): Promise<number> {
      calls += 1;
      const call = calls;
      const callKey = `/${call}`;
      await bridge.onCall({ type: "tool_call", call, callKey, tool, argumentsJson });
      return call;
    },
    /** What the guest was told of a call. */
    answerTo: (call: number) => delivered.find((each) => each.call === call),
  };
}
