import { hash } from "node:crypto";
import type { GuestRun, GuestToolCall } from "../executors/executor.ts";
import { startTimer } from "../shared/abort.ts";
import { CodemodeError } from "../shared/errors.ts";
import type { EventBody, Limits, ToolAnswer, ToolCall, ToolResult } from "../shared/model.ts";
import type { Stop } from "../shared/stop.ts";
import { runInTurns } from "../shared/turns.ts";
import { argumentsTooLarge, checkAnswer, failure } from "./answer.ts";
import { CallBudget, type PayloadBounds } from "./budget.ts";
import type { Grant, Grants } from "./grants.ts";
import { answerMeta, notGranted } from "./meta.ts";
import { readWords } from "./search.ts";
import type { CallScope } from "./tool-service.ts";

/** What was refused without effect, counted over executions. */
export interface Refusals {
  calls: number;
  answers: number;
}

/** Options of a `ToolBridge`. */
export interface ToolBridgeOptions {
  readonly grants: Grants;
  /** Of the program: tools about tools answer in its words. */
  readonly language: string;
  readonly limits: Limits;
  readonly payloads: PayloadBounds;
  readonly scope: CallScope;
  /** When the execution's time is up, on the clock of `performance.now()`. */
  readonly endsAt: number;
  readonly refusals: Refusals;
  /** Appends to the log; calls it makes one after the other keep their order. */
  readonly append: (
    event: Extract<EventBody, { type: "tool_call" | "tool_result" }>,
  ) => Promise<void>;
  readonly guest: Pick<GuestRun, "deliver">;
  /** Ends the program. */
  readonly stop: (stop: Stop) => void;
  /** The log cannot be written: the execution is lost. */
  readonly fail: (error: unknown) => void;
}

// One for all: an abort without a reason makes an error with a stack each time.
const settled = new Error("the call has been answered or given up");

interface OpenCall {
  readonly callId: string;
  readonly guestCall: number;
  readonly callKey: string;
  readonly tool: string;
  readonly argumentsJson: string;
  /** The caller answers it, so that an answer from outside may close it. */
  readonly isCallers: boolean;
  /** Aborts when the call is given up. */
  readonly controller: AbortController;
  readonly timer: Disposable;
  readonly endsAt: number;
}

/**
 * The host's side of one execution's tool calls. Decides which calls are made, records each call and
 * each answer, and gives the guest exactly one answer to each, in the order of the log. Whoever
 * answers, the caller or a service, comes through the same door.
 */
export class ToolBridge {
  readonly #options: ToolBridgeOptions;
  readonly #budget: CallBudget;
  readonly #open = new Map<string, OpenCall>();
  /** Digests of the caller's answers, by call. */
  readonly #answered = new Map<string, string>();
  #count = 0;
  #isCallerGone = false;
  #isClosed = false;
  #delivered: Promise<void> = Promise.resolve();

  constructor(options: ToolBridgeOptions) {
    this.#options = options;
    this.#budget = new CallBudget(options.limits, options.payloads);
  }

  /** Calls so far, refused ones included. */
  get count(): number {
    return this.#count;
  }

  /** Takes a call of the guest's; resolves when it is in the log, which a slow reader holds up. */
  async onCall(guestCall: GuestToolCall): Promise<void> {
    this.#count += 1;
    const { refusals, payloads, append, stop } = this.#options;
    const { callKey, tool } = guestCall;
    const argumentsBytes = Buffer.byteLength(guestCall.argumentsJson);
    const bytes = argumentsBytes + Buffer.byteLength(callKey) + Buffer.byteLength(tool);
    const over = this.#budget.spend({ calls: this.#count, open: this.#open.size, bytes });
    if (this.#isClosed || over !== undefined) {
      refusals.calls += 1;
      if (over !== undefined) stop(over);
      return;
    }
    const grant = this.#options.grants.get(tool);
    const tooLarge = argumentsTooLarge(tool, argumentsBytes, payloads.payloadBytes);
    const isCallers = tooLarge === undefined && grant !== undefined && grant.service === undefined;
    const call = this.#enter(guestCall, isCallers);
    const { callId } = call;
    const payload = tooLarge
      ? { argumentsJson: "", argumentsOmitted: true }
      : { argumentsJson: guestCall.argumentsJson };
    await append({ type: "tool_call", callId, callKey, tool, ...payload });
    if (!this.#open.has(callId)) return;
    if (tooLarge !== undefined) this.#settle(call, tooLarge);
    else this.#send(call, grant, payload.argumentsJson);
  }

  /**
   * The caller's answer to one of its calls. True when the same answer has been given before. Throws
   * a CodemodeError: `already_exists` for a second and different answer, `not_found` for a call that
   * is not open or not the caller's to answer, `invalid_request` for a value that is not exact JSON
   * or too large, which the guest is told as well.
   */
  deliver({ callId, ...answer }: ToolResult): boolean {
    const digest = digestOf(answer);
    const known = this.#isClosed ? undefined : this.#answered.get(callId);
    if (known === digest) return true;
    const name = JSON.stringify(callId.slice(0, 64));
    if (known !== undefined) {
      const message = `the call ${name} has been given a different answer`;
      throw this.#refuse(new CodemodeError("already_exists", message));
    }
    const call = this.#open.get(callId);
    if (!call?.isCallers) {
      throw this.#refuse(new CodemodeError("not_found", `no call ${name} waits for an answer`));
    }
    this.#answered.set(callId, digest);
    const checked = this.#settle(call, answer);
    if ("error" in checked && !("error" in answer)) {
      throw this.#refuse(new CodemodeError("invalid_request", checked.error.message));
    }
    return false;
  }

  /** The caller's calls that wait for an answer, whole, oldest first. */
  openCalls(): ToolCall[] {
    return Array.from(this.#open.values())
      .filter(({ isCallers }) => isCallers)
      .map(({ callId, callKey, tool, argumentsJson }) => ({
        callId,
        callKey,
        tool,
        argumentsJson,
      }));
  }

  /** Somebody answers for the caller again: calls are open to answers from now on. */
  openCaller(): void {
    this.#isCallerGone = false;
  }

  /** The caller answers no more: its open calls fail, and those that it is still sent. */
  closeCaller(): void {
    this.#isCallerGone = true;
    for (const call of this.#open.values()) {
      if (call.isCallers) this.#settle(call, callerGone(call.tool));
    }
  }

  /** The execution is ending: open calls are cancelled, and nothing is taken any more. Idempotent. */
  close(): void {
    for (const call of this.#open.values()) {
      this.#settle(call, failure("cancelled", `the execution ended before ${call.tool} answered`));
    }
    this.#isClosed = true;
  }

  #enter(
    { call: guestCall, callKey, tool, argumentsJson }: GuestToolCall,
    isCallers: boolean,
  ): OpenCall {
    const { limits, endsAt } = this.#options;
    const { waitMs } = limits;
    const callId = String(this.#count);
    const call: OpenCall = {
      callId,
      guestCall,
      callKey,
      tool,
      argumentsJson,
      isCallers,
      controller: new AbortController(),
      timer: startTimer(waitMs, () => {
        this.#settle(call, failure("timeout", `${tool} did not answer within ${waitMs} ms`));
      }),
      endsAt: Math.min(endsAt, performance.now() + waitMs),
    };
    this.#open.set(callId, call);
    return call;
  }

  /** Brings a call to whoever answers it, and does not wait for the answer. */
  #send(call: OpenCall, grant: Grant | undefined, argumentsJson: string): void {
    if (grant === undefined) void this.#ask(call, () => this.#answerUnknown(call, argumentsJson));
    else if (grant.service !== undefined)
      void this.#ask(call, () => this.#callService(call, grant, argumentsJson));
    else if (this.#isCallerGone) this.#settle(call, callerGone(call.tool));
  }

  async #ask(call: OpenCall, answer: () => Promise<ToolAnswer>): Promise<void> {
    let given: ToolAnswer;
    try {
      given = await answer();
    } catch (error) {
      // Given up in the meantime, most often; a fault of ours must not leave the guest waiting.
      if (!call.controller.signal.aborted) this.#options.fail(error);
      return;
    }
    if (this.#open.has(call.callId)) this.#settle(call, given);
  }

  async #answerUnknown(call: OpenCall, argumentsJson: string): Promise<ToolAnswer> {
    const { grants, language } = this.#options;
    const tools = () => grants.all.map(({ tool }) => tool);
    await runInTurns(readWords(tools()));
    const meta = answerMeta(call.tool, argumentsJson, { tools: tools(), language });
    if (meta !== undefined) return meta;
    const grant = await grants.find(call.tool, call.controller.signal);
    if (grant !== undefined) return await this.#callService(call, grant, argumentsJson);
    this.#options.refusals.calls += 1;
    return notGranted(call.tool, tools());
  }

  async #callService(call: OpenCall, grant: Grant, argumentsJson: string): Promise<ToolAnswer> {
    const { callId, endsAt, controller } = call;
    const { scope } = this.#options;
    const { tool, service } = grant;
    if (service === undefined) return notGranted(call.tool, []);
    return await service.call({ scope, tool, callId, argumentsJson, endsAt }, controller.signal);
  }

  /** Closes a call. The answer is in the log before the guest sees it, and in the log's order. */
  #settle(call: OpenCall, answer: ToolAnswer): ToolAnswer {
    const { append, guest, payloads, stop, fail } = this.#options;
    const { callId, guestCall } = call;
    this.#open.delete(callId);
    call.timer[Symbol.dispose]();
    call.controller.abort(settled);
    const checked = checkAnswer(call.tool, answer, payloads.payloadBytes);
    const over = this.#budget.take(checked);
    if (over !== undefined) stop(over);
    const appended = append({ type: "tool_result", callId, ...checked });
    const before = this.#delivered;
    this.#delivered = appended.then(async () => {
      await before;
      guest.deliver({ call: guestCall, ...checked });
    });
    this.#delivered.catch(fail);
    return checked;
  }

  #refuse(error: CodemodeError): CodemodeError {
    this.#options.refusals.answers += 1;
    return error;
  }
}

function callerGone(tool: string): ToolAnswer {
  return failure("unavailable", `nobody is left to answer ${tool}: the caller closed its side`);
}

function digestOf(answer: ToolAnswer): string {
  const text =
    "error" in answer ? `error ${JSON.stringify(answer.error)}` : `result ${answer.resultJson}`;
  return hash("sha256", text, "base64");
}
