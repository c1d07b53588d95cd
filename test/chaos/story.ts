import type { StreamEvent } from "../../src/index.ts";
import type {
  Execution,
  ExecutionEvent,
  FailureReason,
  JsonValue,
} from "../../src/shared/model.ts";
import type { Act } from "./acts.ts";

/** An event as a reader got it. */
export type SeenEvent = StreamEvent;

/** How a reader's stream ended for it. */
export type ViewEnd =
  | { readonly how: "ended" }
  /** It left by itself. */
  | { readonly how: "left" }
  | {
      readonly how: "failed";
      readonly kind: string;
      readonly message: string;
      /** When to come back, as the service says. */
      readonly retryAfterMs: number | undefined;
    };

/** How a program ended, whichever client tells it. */
export type Result =
  | { readonly status: "completed"; readonly value: JsonValue | undefined }
  | { readonly status: "failed"; readonly reason: FailureReason; readonly message: string };

/** What one reader saw on one attach. Times are of the wall clock, milliseconds. */
export interface View {
  readonly reader: string;
  /** It started the execution or joined it by its request; or it attached to it; the SDK's own way is both. */
  readonly via: "start" | "attach" | "sdk" | "sdk attach";
  readonly afterSequence: number;
  readonly startedAt: number;
  executionId: string | undefined;
  /** The service said at the start that the log ends here. */
  lastSequence: number | undefined;
  readonly events: SeenEvent[];
  /** Its connection was lost on the way, or its call had a short deadline. */
  isDisturbed: boolean;
  hasDeadline: boolean;
  /** What the SDK gave as the result, beside the events. */
  result: Result | undefined;
  end: ViewEnd | undefined;
  endedAt: number;
}

/** What a unary call brought. */
export interface Answer {
  readonly reader: string;
  readonly executionId: string;
  readonly result: Result;
  readonly stdout: string;
  readonly stdoutOmittedBytes: number;
}

/** One call of a handler. */
export interface Effect {
  /** Who ran it: one that remembers what it answered is one host over all its connections. */
  readonly host: string;
  readonly executionId: string;
  readonly callId: string;
  readonly tool: string;
  readonly token: string;
  readonly label: string;
  readonly context: Readonly<Record<string, unknown>> | undefined;
  readonly at: number;
}

/** A status that a call which was to fail got, or "ok". */
export interface Probe {
  readonly what: string;
  readonly status: string;
  /** Statuses that are right. */
  readonly allowed: readonly string[];
}

/** The whole log of an execution as it was read after its end. */
export interface Log {
  readonly executionId: string;
  readonly events: readonly ExecutionEvent[];
  /** The status in place of a log, where there is none. */
  readonly status: string | undefined;
  readonly message: string;
  /** When the answer had come, on the wall clock. */
  readonly answeredAt: number;
}

/** What was done to an execution by those who use it, which explains how it ended. */
export type Deed = "left" | "cancelled" | "deadline";

/** Ends the token of an act that takes another's request id. */
export const rivalSuffix = "-i";

/** Everything that became known of one act. */
export interface Story {
  readonly act: Act;
  readonly tenant: string;
  readonly startedAt: number;
  readonly views: View[];
  readonly answers: Answer[];
  readonly effects: Effect[];
  /** Executions of which the program said that it runs now. */
  readonly begins: string[];
  readonly probes: Probe[];
  readonly deeds: Set<Deed>;
  /** Each resolves when the network that failed under a reader brings what was sent meanwhile. */
  readonly stalls: Promise<void>[];
  /** What happened, in words, with times; for whoever reads a violation. */
  readonly notes: string[];
  /** The executions that the service listed under the token. */
  executions: readonly Execution[];
  logs: Log[];
  endedAt: number;
}

/** A story that begins now. */
export function openStory(act: Act, tenant: string): Story {
  return {
    act,
    tenant,
    startedAt: Date.now(),
    views: [],
    answers: [],
    effects: [],
    begins: [],
    probes: [],
    deeds: new Set(),
    stalls: [],
    notes: [],
    executions: [],
    logs: [],
    endedAt: 0,
  };
}

/** A view that begins now. */
export function openView(
  story: Story,
  reader: string,
  { via, afterSequence, executionId }: Pick<View, "via" | "afterSequence" | "executionId">,
): View {
  const view: View = {
    reader,
    via,
    afterSequence,
    startedAt: Date.now(),
    executionId,
    lastSequence: undefined,
    events: [],
    isDisturbed: false,
    hasDeadline: false,
    result: undefined,
    end: undefined,
    endedAt: 0,
  };
  story.views.push(view);
  return view;
}

/** Ends a view. The first end counts. */
export function closeView(view: View, end: ViewEnd): void {
  if (view.end !== undefined) return;
  view.end = end;
  view.endedAt = Date.now();
}

/** Writes down what happened. */
export function note(story: Story, text: string): void {
  story.notes.push(`${Date.now() - story.startedAt} ms ${text}`);
}
