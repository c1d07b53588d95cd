import type { FailureReason, Limits } from "../../../src/shared/model.ts";

/** What a language or an engine may be without. */
export type Capability =
  | "null"
  | "booleans"
  | "text"
  | "containers"
  | "fractions"
  | "exact integers"
  | "values beyond JSON"
  | "stderr"
  | "context"
  | "random numbers"
  | "catching errors"
  | "sleep"
  | "CPU limit"
  | "memory limit"
  | "recursion"
  | "crash"
  | "tools"
  | "parallel tools"
  | "open calls at the end"
  | "tool argument checks"
  | "globals"
  | "library"
  | "prototypes"
  | "files"
  | "timers"
  | "environment"
  | "threads"
  | "signals"
  | "native memory"
  | "native output"
  | "sqlite"
  | "time zones";

/** Capabilities that are not there, each with the reason in words: it is printed where a test is skipped. */
export type Lacks = Readonly<Partial<Record<Capability, string>>>;

/** A program and the result that every engine of its language must give. */
export interface ValueCase {
  readonly title: string;
  readonly code: string;
  /** JSON text of the value; undefined where it is not a JSON value. */
  readonly json: string | undefined;
  readonly text?: string;
  readonly type?: string;
  /** What the outcome says of the value. */
  readonly note?: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly limits?: Partial<Limits>;
  readonly needs?: Capability;
}

/** A value that is not JSON, and what stands for it. */
export interface ConversionCase {
  /** What a program says before it uses the value. */
  readonly imports: string;
  /** The value, as an expression. */
  readonly value: string;
  readonly json: string;
  /** What the outcome says of it: path and type of each place. */
  readonly converted: readonly string[];
}

/** A program that fails, and how. */
export interface FailureCase {
  readonly title: string;
  readonly code: string;
  readonly reason: FailureReason;
  readonly type?: string;
  /** A part of the message. */
  readonly message?: string;
  readonly line?: number;
  /** A part of the traceback. */
  readonly traceback?: string;
  readonly limits?: Partial<Limits>;
  readonly needs?: Capability;
}

/** A program that goes on for ever inside one operation of the language's own library. */
export interface StuckCase {
  readonly title: string;
  readonly code: string;
}

/** Values that cross every border exactly; `suite/kinds.ts` has the JSON text that each must have. */
export type ExactKind =
  | "null"
  | "true"
  | "false"
  | "zero"
  | "integer"
  | "negative integer"
  | "2**53 - 1"
  | "2**53 + 1"
  | "-2**63"
  | "10**300"
  | "a tenth"
  | "1e308"
  | "5e-324"
  | "empty text"
  | "text"
  | "escapes"
  | "empty array"
  | "empty object"
  | "nested"
  | "60 levels"
  | "64 levels";

/** Values that are not JSON: a result has only its text then, and a tool's argument is refused. */
export type BeyondKind =
  | "NaN"
  | "infinity"
  | "10**309"
  | "lone surrogate"
  | "cycle"
  | "65 levels"
  | "function";

/** An expression of the language for each kind of value. "function" is an array that holds one. */
export type Kinds<Name extends string> = Readonly<Partial<Record<Name, string>>>;

/** Places in which a run could leave something for a later one. */
export type LeakKind = "globals" | "library" | "prototypes" | "files" | "timers" | "environment";

/** A program that leaves something behind, and one whose value is true, without output, when it cannot be seen. */
export interface Leak {
  readonly litter: string;
  readonly isClean: string;
}

/** Programs that call tools. Arguments are expressions of the language, by name. */
export interface ToolPrograms {
  /** Gives what the tool answers. */
  call(tool: string, args: Readonly<Record<string, string>>): string;
  /** Gives ["ok", answer], or [name of the error's type, its message, its `tool`, its `kind`]. */
  caught?(tool: string, args: Readonly<Record<string, string>>): string;
  /** Calls "echo" with n = 0, 1, ... `count` - 1, each when the one before is answered, and prints each answer on a line. */
  sequential(count: number): string;
  /** Calls "echo" with n = 0, 1, ... `count` - 1, all open at once; gives the array of the answers in that order. */
  parallel?(count: number): string;
  /** Line 1 is something else, line 2 calls "echo" with nothing, and what comes of it is not caught. */
  readonly onLine2: string;
  /** Prints "a", calls "echo" with nothing, prints "b"; without line ends where the language can. */
  readonly printAround: string;
  /** Calls "echo" with n = 1, prints "between\n", goes on for ever without another call. */
  readonly between: string;
  /** Starts a call of "echo" with n = 1, waits neither for it nor anything else, and gives 5. */
  readonly leftOpen?: string;
  /** Calls "echo" with n = 0, 1, ... for ever, whatever becomes of the calls. */
  readonly endless: string;
  /** Calls "echo" with nothing for ever, and keeps every answer. */
  readonly hoard?: string;
  /** Gives the length of the text that "echo" answers to nothing. */
  readonly lengthOfAnswer?: string;
}

/**
 * What a language gives the suite; the expectations are the suite's. A program that is left out needs
 * a reason in `lacks`: without one the suite fails.
 */
export interface Programs {
  readonly language: string;
  /** What no engine of this language can have. */
  readonly lacks: Lacks;
  /** A program whose value is that of an expression. */
  give(expression: string): string;
  /** A program that prints a text and a line end in one statement; the text has no line end. */
  printLine(text: string): string;
  /** A statement without effect, on a line of its own, its line end included. */
  readonly idleLine: string;
  /** An expression: a text of so many ASCII characters. */
  longText?(length: number): string;
  /** An expression: an array of so many zeros. */
  zeros?(count: number): string;
  readonly exact: Kinds<ExactKind>;
  readonly beyond: Kinds<BeyondKind>;
  /** What only this language has to say about values. */
  readonly values: readonly ValueCase[];
  /** Values that are converted. */
  readonly conversions: readonly ConversionCase[];
  /** What only this language has to say about failures. */
  readonly failures: readonly FailureCase[];
  /** Line 3 fails with an exception that nothing catches, within a function where there are functions. */
  readonly raises: { readonly code: string; readonly type: string; readonly message: string };
  /** Line 2 does not parse. */
  readonly badSyntax: { readonly code: string; readonly type: string };
  /** Ends its guest without a result. */
  readonly crash?: string;
  /** Runs for ever without a word. */
  readonly spin: string;
  /** Sleeps for ever without using CPU time. */
  readonly sleep?: string;
  /** Prints "ready\n" and then runs for ever. */
  readonly readyThenSpin: string;
  /** Prints "ready\n", then runs for ever and catches whatever it can catch. */
  readonly catchesAll?: string;
  readonly stuck: readonly StuckCase[];
  /** Prints lines of ASCII without end. */
  readonly flood: string;
  /** Writes "a\n", "b\n" to stdout, "c\n" to stderr, "d\n" to stdout. */
  readonly interleaved?: string;
  /** Prints "é日本🙂" 20,000 times, a line each. */
  readonly unicode?: string;
  /** Run with 64 MiB: each takes memory until there is no more. */
  readonly memory?: {
    /** One block of more than there is. */
    readonly big: string;
    /** Small objects without end. */
    readonly many: string;
    /** A text that is doubled without end. */
    readonly doubling: string;
    /** Catches that there is no more, and gives 5. */
    readonly survived: string;
  };
  /** Calls itself without end. */
  readonly recursion?: { readonly code: string; readonly type?: string };
  readonly leaks: Readonly<Partial<Record<LeakKind, Leak>>>;
  /** An expression: a random number. */
  readonly random?: string;
  /** An expression: an array of `context` and `config`. */
  readonly context?: string;
  readonly tools?: ToolPrograms;
}
