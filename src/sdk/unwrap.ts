import type { ExecutionFailure, ExecutionResult, FailedResult } from "./result.ts";

// A registered symbol, so that `is` holds across duplicate copies of the package.
const brand = Symbol.for("codemode.ExecutionFailed");

/** What `unwrap` throws: the program has no value. Carries the whole result. */
export class ExecutionFailed extends Error {
  readonly [brand] = true;
  readonly result: FailedResult;

  constructor(result: FailedResult) {
    super(describe(result.error));
    this.name = "ExecutionFailed";
    this.result = result;
  }

  /** Why there is no value, such as "exception" or "timeout". */
  get reason(): ExecutionFailure["reason"] {
    return this.result.error.reason;
  }

  /** Whether a value is an ExecutionFailed, of this copy of the package or another. */
  static is(value: unknown): value is ExecutionFailed {
    return typeof value === "object" && value !== null && brand in value;
  }
}

/** The value of a completed execution; throws `ExecutionFailed` for any other. */
export function unwrap<T>(result: ExecutionResult<T>): T {
  if (result.status === "completed") return result.value;
  throw new ExecutionFailed(result);
}

function describe({ reason, type, message, line }: ExecutionFailure): string {
  const what = reason === "exception" && type !== "" ? `${type}: ${message}` : message;
  return `${reason}: ${what}${line > 0 ? ` (line ${line})` : ""}`;
}
