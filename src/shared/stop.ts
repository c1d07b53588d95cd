import type { FailureReason, ProgramResult } from "./model.ts";

/** Why the host ends a running program; the `reason` of the abort signal that does so. */
export class Stop extends Error {
  readonly reason: Extract<
    FailureReason,
    "timeout" | "output_limit" | "tool_budget" | "cancelled" | "abandoned"
  >;

  constructor(reason: Stop["reason"], message: string) {
    super(message);
    this.name = "Stop";
    this.reason = reason;
  }
}

/** A failure that has no exception of the guest's behind it. */
export function failed(reason: FailureReason, message: string): ProgramResult {
  return { status: "failed", error: { reason, type: "", message, traceback: "", line: 0 } };
}

/** The failure that an abort reason stands for; anything but a Stop reads as a cancellation. */
export function stopped(reason: unknown): ProgramResult {
  if (reason instanceof Stop) return failed(reason.reason, reason.message);
  return failed("cancelled", "the execution was cancelled");
}
