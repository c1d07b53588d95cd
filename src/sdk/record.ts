import { CappedText } from "../shared/capped-text.ts";
import type { Outcome } from "../shared/model.ts";
import { failed } from "../shared/stop.ts";
import type { ReportHead } from "./result.ts";
import type { StreamEvent } from "./stream-event.ts";

const maxTextBytes = 1024 * 1024;

/** What a result needs to know of an execution's events: a few ids, and the first 1 MiB per channel. */
export class ExecutionRecord {
  readonly #stdout = new CappedText(maxTextBytes);
  readonly #stderr = new CappedText(maxTextBytes);
  /** Output of either channel that the service kept no longer. */
  #droppedBytes = 0;
  #executionId: string | undefined;
  #hasEvents = false;
  #started: Extract<StreamEvent, { type: "started" }> | undefined;

  /** `executionId` where it is known before the first event. */
  constructor(executionId?: string) {
    this.#executionId = executionId;
  }

  /** Something has happened. */
  get hasEvents(): boolean {
    return this.#hasEvents;
  }

  add(event: StreamEvent): void {
    this.#hasEvents = true;
    if (event.type === "started") {
      this.#started = event;
      this.#executionId = event.executionId;
    }
    if (event.type === "trimmed") this.#droppedBytes += event.omittedBytes;
    if (event.type !== "output") return;
    if (event.channel === "stdout") this.#stdout.append(event.text);
    else this.#stderr.append(event.text);
  }

  /** The execution is known without its `started`. */
  found(executionId: string): void {
    this.#executionId = executionId;
  }

  /** Known from `started` on at the latest. */
  get executionId(): string | undefined {
    return this.#executionId;
  }

  /** The part of a report that the outcome does not say. */
  head(correlationId: string): ReportHead {
    return {
      stdout: this.#stdout.toString(),
      stderr: this.#stderr.toString(),
      stdoutOmittedBytes: this.#stdout.omittedBytes + this.#droppedBytes,
      stderrOmittedBytes: this.#stderr.omittedBytes,
      executionId: this.#executionId ?? "",
      correlationId: this.#started?.correlationId || correlationId,
    };
  }

  /** The outcome of an execution that was cancelled before its own could be read. */
  cancelled(): Outcome {
    return {
      ...failed("cancelled", "the execution was cancelled"),
      usage: { wallMs: 0, cpuMs: 0, peakMemoryBytes: 0, outputBytes: 0, toolCalls: 0 },
      isolationTier: this.#started?.isolationTier,
      engine: this.#started?.engine ?? "",
      warnings: [],
    };
  }
}
