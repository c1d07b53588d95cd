import { Code, ConnectError } from "@connectrpc/connect";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  QuotaFailureSchema,
  RetryInfoSchema,
} from "../../gen/es/google/rpc/error_details_pb.ts";
import { firstBytes } from "./capped-text.ts";
import {
  CodemodeConnectionError,
  CodemodeError,
  CodemodeTimeoutError,
  type ErrorKind,
  type ErrorOptions,
  type FieldViolation,
} from "./errors.ts";
import { fromDuration, toDuration } from "./wire/time.ts";

const domain = "codemode";

/** Trailer that tells gRPC retry policies not to try again (gRFC A6). */
export const pushbackTrailer = "grpc-retry-pushback-ms";
/** Trailer and request header that carry the correlation id. */
export const correlationHeader = "x-correlation-id";
/** Trailer that carries the id of the execution. */
export const executionIdTrailer = "x-execution-id";

/** Response header of a call whose request had been made before: it joined that one's execution. */
export const joinedHeader = "codemode-joined";
/**
 * Trailer that names the server instance; every response has it. As a header of a call it names the
 * only instance that may take it.
 */
export const instanceTrailer = "codemode-instance";

const codes = {
  invalid_request: Code.InvalidArgument,
  unauthenticated: Code.Unauthenticated,
  permission_denied: Code.PermissionDenied,
  not_found: Code.NotFound,
  already_exists: Code.AlreadyExists,
  out_of_range: Code.OutOfRange,
  unsupported: Code.Unimplemented,
  overloaded: Code.ResourceExhausted,
  unavailable: Code.Unavailable,
  deadline_exceeded: Code.DeadlineExceeded,
  cancelled: Code.Canceled,
  execution_lost: Code.Aborted,
  internal: Code.Internal,
} satisfies Record<ErrorKind, Code>;

const kinds: ReadonlyMap<Code, ErrorKind> = new Map(
  Object.entries(codes).map(([kind, code]) => [code, kind as ErrorKind]),
);

/** The error as a gRPC status with google.rpc details; causes stay behind. */
export function toConnectError(error: CodemodeError): ConnectError {
  const status = new ConnectError(
    firstBytes(error.message, maxMessageBytes),
    codes[error.kind],
    undefined,
    undefined,
    error,
  );
  const metadata: Record<string, string> = { kind: error.kind };
  if (error.correlationId !== undefined) metadata.correlation_id = error.correlationId;
  if (error.executionId !== undefined) metadata.execution_id = error.executionId;
  status.details.push({
    desc: ErrorInfoSchema,
    value: { reason: error.kind.toUpperCase(), domain, metadata },
  });
  if (error.violations.length > 0) {
    status.details.push({
      desc: BadRequestSchema,
      value: { fieldViolations: fitting(error.violations) },
    });
  }
  if (error.quota.length > 0) {
    status.details.push({ desc: QuotaFailureSchema, value: { violations: [...error.quota] } });
  }
  if (error.retryAfterMs !== undefined) {
    status.details.push({
      desc: RetryInfoSchema,
      value: { retryDelay: toDuration(error.retryAfterMs) },
    });
  }
  if (isFinal(error)) status.metadata.set(pushbackTrailer, "-1");
  return status;
}

// A status with its details is a trailer of base64, below 4 KiB of it: many clients take 8 KiB of all.
const maxMessageBytes = 1_024;
const maxViolationBytes = 1_600;
const maxFieldBytes = 128;
const maxDescriptionBytes = 512;

/** As many violations as there is room for, their texts cut; the last says how many there are beside. */
function fitting(violations: readonly FieldViolation[]): FieldViolation[] {
  const fitted: FieldViolation[] = [];
  let bytes = 0;
  for (const { field, description } of violations) {
    const cut = {
      field: firstBytes(field, maxFieldBytes),
      description: firstBytes(description, maxDescriptionBytes),
    };
    bytes += Buffer.byteLength(cut.field) + Buffer.byteLength(cut.description) + 8;
    if (bytes > maxViolationBytes) {
      const more = violations.length - fitted.length;
      return [...fitted, { field: "", description: `and ${more} more` }];
    }
    fitted.push(cut);
  }
  return fitted;
}

/** Whether its code reads as if another try were safe, and none is. */
function isFinal({ kind, retryable }: CodemodeError): boolean {
  if (kind === "execution_lost") return true;
  return !retryable && (kind === "overloaded" || kind === "unavailable");
}

/**
 * A gRPC status as an error; one that did not come from this service is never `retryable`. Ids that
 * the caller knows stand in where the status brings none.
 */
export function fromConnectError(
  status: ConnectError,
  known: Pick<ErrorOptions, "correlationId" | "executionId"> = {},
): CodemodeError {
  const [info] = status.findDetails(ErrorInfoSchema).filter((detail) => detail.domain === domain);
  const kind = kinds.get(status.code) ?? "internal";
  const pushback = status.metadata.get(pushbackTrailer);
  const pushbackMs = pushback !== null && /^\d{1,9}$/.test(pushback) ? Number(pushback) : undefined;
  // Whatever is no number of milliseconds means "do not try again" (gRFC A6).
  const isPushedBack = pushback !== null && pushbackMs === undefined;
  const options: ErrorOptions = {
    cause: status,
    correlationId:
      info?.metadata.correlation_id ??
      status.metadata.get(correlationHeader) ??
      known.correlationId,
    executionId:
      info?.metadata.execution_id ?? status.metadata.get(executionIdTrailer) ?? known.executionId,
    retryAfterMs: fromDuration(status.findDetails(RetryInfoSchema)[0]?.retryDelay) ?? pushbackMs,
    violations: status
      .findDetails(BadRequestSchema)
      .flatMap((detail) => detail.fieldViolations)
      .map(({ field, description }) => ({ field, description })),
    quota: status
      .findDetails(QuotaFailureSchema)
      .flatMap((detail) => detail.violations)
      .map(({ subject, description }) => ({ subject, description })),
    ...(info === undefined || isPushedBack ? { retryable: false } : {}),
  };
  const message = status.rawMessage;
  if (kind === "deadline_exceeded") return new CodemodeTimeoutError(message, options);
  if (kind === "unavailable") return new CodemodeConnectionError(message, options);
  return new CodemodeError(kind, message, options);
}
