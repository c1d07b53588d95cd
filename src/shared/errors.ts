/** The closed set of ways in which the service itself can fail. */
export type ErrorKind =
  | "invalid_request"
  | "unauthenticated"
  | "permission_denied"
  | "not_found"
  | "already_exists"
  | "out_of_range"
  | "unsupported"
  | "overloaded"
  | "unavailable"
  | "deadline_exceeded"
  | "cancelled"
  | "execution_lost"
  | "internal";

/** A fault of one field of a request. */
export interface FieldViolation {
  /** Path of the field, such as "request.limits.wall_timeout". */
  readonly field: string;
  readonly description: string;
}

/** A limit of the service that a request ran into. */
export interface QuotaViolation {
  /** Whose limit, such as "tenant:acme". */
  readonly subject: string;
  readonly description: string;
}

/** What an error may carry beside its kind and message. */
export interface ErrorOptions {
  readonly cause?: unknown;
  readonly correlationId?: string | undefined;
  readonly executionId?: string | undefined;
  /** When the service says that a retry may succeed, milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  readonly violations?: readonly FieldViolation[] | undefined;
  readonly quota?: readonly QuotaViolation[] | undefined;
  /** Whether a retry is safe; default: the kind says that the program did not start. */
  readonly retryable?: boolean | undefined;
}

// A registered symbol, so that `is` holds across duplicate copies of the package.
const brand = Symbol.for("codemode.CodemodeError");

/** A failure of the service or of the way to it, never of the program that it ran. */
export class CodemodeError extends Error {
  readonly [brand] = true;
  readonly kind: ErrorKind;
  readonly correlationId: string | undefined;
  readonly executionId: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly violations: readonly FieldViolation[];
  readonly quota: readonly QuotaViolation[];
  /** The program did not start, so that running it again is safe. */
  readonly retryable: boolean;

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = new.target.name;
    this.kind = kind;
    this.correlationId = options.correlationId;
    this.executionId = options.executionId;
    this.retryAfterMs = options.retryAfterMs;
    this.violations = options.violations ?? [];
    this.quota = options.quota ?? [];
    this.retryable = options.retryable ?? (kind === "overloaded" || kind === "unavailable");
  }

  /** Whether a value is a CodemodeError, of this copy of the package or another. */
  static is(value: unknown): value is CodemodeError {
    return typeof value === "object" && value !== null && brand in value;
  }

  /** The value itself when it is a CodemodeError, otherwise a masked "internal" with it as the cause. */
  static from(error: unknown): CodemodeError {
    if (CodemodeError.is(error)) return error;
    return new CodemodeError("internal", "internal error", { cause: error });
  }
}

/** The service could not be reached, or the way to it broke. */
export class CodemodeConnectionError extends CodemodeError {
  constructor(message: string, options: ErrorOptions = {}) {
    super("unavailable", message, options);
  }
}

/** The caller's deadline passed; the execution's own limits give an outcome instead. */
export class CodemodeTimeoutError extends CodemodeError {
  constructor(message: string, options: ErrorOptions = {}) {
    super("deadline_exceeded", message, options);
  }
}
