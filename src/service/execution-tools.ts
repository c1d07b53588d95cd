import type { GuestTool, GuestToolCall } from "../executors/executor.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { ExecutionRequest, ToolCall, ToolResult } from "../shared/model.ts";
import { runInTurns, type Steps } from "../shared/turns.ts";
import { type Refusals, ToolBridge, type ToolBridgeOptions } from "../tools/bridge.ts";
import type { PayloadBounds } from "../tools/budget.ts";
import { type Grants, openGrants } from "../tools/grants.ts";
import type { ToolServices } from "../tools/tool-service.ts";
import type { Call } from "./call.ts";
import { toGuestTool } from "./guest-tools.ts";

/** Options of `ExecutionTools`. */
export interface ExecutionToolsOptions {
  readonly executionId: string;
  readonly request: ExecutionRequest;
  readonly call: Call;
  readonly toolServices: ToolServices;
  readonly payloads: PayloadBounds;
  readonly refusals: Refusals;
}

/** The guest that calls, and how its calls reach the log and the execution's end. */
export type GuestSide = Pick<ToolBridgeOptions, "endsAt" | "guest" | "append" | "stop" | "fail">;

/** The tool host that an execution begins with: the caller that started it. */
export const firstHost = 1;

// Each change of the host is an event that the log keeps to its end.
const maxHosts = 1_000;

/** What a guest is told of each tool that is granted; the first time its schemas are read. */
function* guestTools(grants: Grants, language: string): Steps<GuestTool[]> {
  const tools: GuestTool[] = [];
  for (const { tool } of grants.all) {
    yield;
    tools.push(toGuestTool(tool, language));
  }
  return tools;
}

/** The tools of one execution: granted before it has a slot, called once it has a guest. */
export class ExecutionTools {
  readonly #options: ExecutionToolsOptions;
  #grants: Grants | undefined;
  #bridge: ToolBridge | undefined;
  #host = firstHost;
  #isCallerGone = false;

  constructor(options: ExecutionToolsOptions) {
    this.#options = options;
  }

  /** Calls so far, refused ones included. */
  get count(): number {
    return this.#bridge?.count ?? 0;
  }

  /** Grants what the request asks for, and gives what the guest is told of it. Rejects as `openGrants`. */
  async grant(signal: AbortSignal): Promise<readonly GuestTool[]> {
    const { request, toolServices } = this.#options;
    const services = request.toolServices.flatMap((name) => toolServices.get(name) ?? []);
    this.#grants = await openGrants({ inline: request.tools, services }, signal);
    return await runInTurns(guestTools(this.#grants, request.language));
  }

  /** There is a guest: what it calls from now on is answered. */
  open(guestSide: GuestSide): void {
    const { request, executionId, call, payloads, refusals } = this.#options;
    const { context, correlationId, language, limits } = request;
    const { traceparent } = call;
    const scope = { context, executionId, correlationId, traceparent };
    if (this.#grants === undefined) throw new Error("nothing has been granted yet");
    const options = {
      ...guestSide,
      grants: this.#grants,
      language,
      limits,
      payloads,
      refusals,
      scope,
    };
    this.#bridge = new ToolBridge(options);
    if (this.#isCallerGone) this.#bridge.closeCaller();
  }

  /** Takes a call of the guest's; resolves when it is in the log. */
  async onCall(call: GuestToolCall): Promise<void> {
    await this.#bridge?.onCall(call);
  }

  /**
   * Makes a new tool host and gives its number: answers of the one before are refused. Throws a
   * CodemodeError `out_of_range` when the execution has had too many, which does not pass.
   */
  changeHost(): number {
    if (this.#host >= maxHosts) {
      const message = `the execution has had ${maxHosts} tool hosts, and takes no more: it can only be watched`;
      throw new CodemodeError("out_of_range", message);
    }
    this.#host += 1;
    this.#isCallerGone = false;
    this.#bridge?.openCaller();
    return this.#host;
  }

  /** The calls that a tool host has to answer now. */
  openCalls(): readonly ToolCall[] {
    return this.#bridge?.openCalls() ?? [];
  }

  /** Hands on an answer of the caller's, or of one tool host; as `ToolBridge.deliver`. */
  answer(result: ToolResult, host = this.#host): boolean {
    if (host === this.#host && this.#bridge !== undefined) return this.#bridge.deliver(result);
    this.#options.refusals.answers += 1;
    const why = host === this.#host ? "no call is open" : "another reader answers the calls now";
    throw new CodemodeError("not_found", why);
  }

  /** A tool host answers no more: open calls and those that come fail, until there is another. */
  closeCaller(host: number): void {
    if (host !== this.#host) return;
    this.#isCallerGone = true;
    this.#bridge?.closeCaller();
  }

  /** The execution ends: what is open is cancelled in the log. Idempotent. */
  close(): void {
    this.#bridge?.close();
  }
}
