import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { ExecuteResponse } from "../../gen/es/codemode/v1/executor_pb.ts";
import { CodemodeError } from "../shared/errors.ts";
import { JsonError, parseJson } from "../shared/json.ts";
import type {
  Conversion,
  Failure,
  FailureReason,
  IsolationTier,
  JsonValue,
  Outcome,
  Usage,
} from "../shared/model.ts";
import { fromOutcomeMessage } from "../shared/wire/outcome.ts";
import { checkOutput } from "./output-schema.ts";
import type { OutputSchema } from "./request.ts";

/** What every execution leaves behind, whether it has a value or not. */
export interface ExecutionReport {
  /** What the program wrote to standard output, at most its first 1 MiB. */
  readonly stdout: string;
  /** What the program wrote to standard error, at most its first 1 MiB. */
  readonly stderr: string;
  /** Bytes of standard output beyond `stdout`. */
  readonly stdoutOmittedBytes: number;
  /** Bytes of standard error beyond `stderr`. */
  readonly stderrOmittedBytes: number;
  /** Time and memory that the program used. */
  readonly usage: Usage;
  /** Identity of the execution; empty when it was cancelled before it started. */
  readonly executionId: string;
  /** Id under which the service's logs know the call. */
  readonly correlationId: string;
  /** Engine that ran it, such as "cpython"; empty when it never started. */
  readonly engine: string;
  /** Isolation under which it ran; undefined when it never started. */
  readonly isolationTier: IsolationTier | undefined;
  /** What the operator should know, such as a weakened isolation. Usually empty. */
  readonly warnings: readonly string[];
}

/** An execution whose program ran to its end. */
export interface CompletedResult<T> extends ExecutionReport {
  readonly status: "completed";
  /**
   * The program's value, exact: an integer beyond 2^53 is a `bigint`. What is not JSON, such as a date, is
   * converted, and `conversions` says so. Undefined where it cannot be: `notes` says why, `text` what it was.
   */
  readonly value: T;
  /** What Python's `str()` gives of the value, cut to 256 KiB. */
  readonly text: string;
  /** Name of the value's type, such as "int" or "datetime". */
  readonly type: string;
  /** What of the value is not JSON and was converted: the first ten of each type. */
  readonly conversions: readonly Conversion[];
  /** Why there is no value, or what the program had left open. Usually empty. */
  readonly notes: readonly string[];
}

/** Why an execution has no value; "invalid_output" is the SDK's own word, for `output`. */
export type ExecutionFailure = Omit<Failure, "reason"> & {
  readonly reason: FailureReason | "invalid_output";
};

/** An execution whose program has no value. Not an error: the service did its work. */
export interface FailedResult extends ExecutionReport {
  readonly status: "failed";
  readonly error: ExecutionFailure;
}

/** How an execution ended: look at `status`, or `unwrap` it. */
export type ExecutionResult<T = JsonValue | undefined> = CompletedResult<T> | FailedResult;

/** The type of `value` under an `output` schema, or without one. */
export type ValueOf<S extends OutputSchema> = S extends StandardSchemaV1
  ? StandardSchemaV1.InferOutput<S>
  : JsonValue | undefined;

/** A report without what the outcome itself says. */
export type ReportHead = Omit<ExecutionReport, keyof Outcome>;

/** An outcome and its surroundings as a result, its value parsed and checked against the schema. */
export async function toResult<S extends OutputSchema>(
  outcome: Outcome,
  head: ReportHead,
  output: S | undefined,
): Promise<ExecutionResult<ValueOf<S>>> {
  const { usage, engine, isolationTier, warnings } = outcome;
  const report: ExecutionReport = { ...head, usage, engine, isolationTier, warnings };
  if (outcome.status === "failed") return { ...report, status: "failed", error: outcome.error };
  const { json, text, type, conversions, notes } = outcome.value;
  const parsed = parseValue(json);
  const completed = {
    ...report,
    status: "completed" as const,
    text,
    type,
    conversions,
    notes,
    warnings: [...warnings, ...parsed.warnings],
  };
  // Without a schema ValueOf<S> is JsonValue | undefined, which the compiler cannot see here.
  if (output === undefined) return { ...completed, value: parsed.value as ValueOf<S> };
  const checked = await checkOutput(output, parsed.value);
  if ("fault" in checked) {
    const error = {
      reason: "invalid_output",
      type,
      message: checked.fault,
      traceback: "",
      line: 0,
    } as const;
    return { ...report, status: "failed", error };
  }
  return { ...completed, value: checked.value as ValueOf<S> };
}

/** A unary answer as a result; throws `execution_lost` when it has no outcome. */
export function fromExecuteResponse<S extends OutputSchema>(
  response: ExecuteResponse,
  correlationId: string,
  output: S | undefined,
): Promise<ExecutionResult<ValueOf<S>>> {
  const { execution, stdout, stderr } = response;
  if (execution?.outcome === undefined) {
    throw new CodemodeError("execution_lost", "the service answered without an outcome", {
      correlationId,
      executionId: execution?.executionId,
    });
  }
  const head: ReportHead = {
    stdout,
    stderr,
    stdoutOmittedBytes: Number(response.stdoutOmittedBytes),
    stderrOmittedBytes: Number(response.stderrOmittedBytes),
    executionId: execution.executionId,
    correlationId: execution.correlationId || correlationId,
  };
  return toResult(fromOutcomeMessage(execution.outcome), head, output);
}

/** The value; text that is not exact JSON counts as no JSON, and says so. */
function parseValue(json: string | undefined): { value?: JsonValue; warnings: string[] } {
  if (json === undefined) return { warnings: [] };
  try {
    return { value: parseJson(json), warnings: [] };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { warnings: [`the value is not exact JSON: ${error.message}`] };
  }
}
