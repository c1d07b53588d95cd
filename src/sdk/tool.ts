import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { JsonObject } from "../shared/model.ts";
import type { ContextVariables } from "./context.ts";
import { runnableTool } from "./runnable-tool.ts";

/** What a tool's handler is told beside its input. */
export interface ToolInfo {
  /** The execution's context as its caller gave it, whatever the program did to its copy. Frozen. */
  readonly context: ContextVariables;
  /** Aborts when the execution ends for any reason, or when the call is given up. */
  readonly signal: AbortSignal;
  readonly executionId: string;
  /** Identity of the call; the same when a call is made again after a crash. */
  readonly callId: string;
  /** Id for traces and logs. */
  readonly correlationId: string;
}

/** A JSON Schema as an object (2020-12, or the draft that `$schema` names), or what the AI SDK's `jsonSchema()` gives. */
export type JsonSchemaLike = Readonly<Record<string, unknown>> & { readonly "~standard"?: never };

/** The parts of a tool beside its schemas and its handler. */
export interface ToolTraits {
  /** Name by which programs call it, 1 to 128 characters, not beginning with "__". */
  readonly name: string;
  /** What it does, for models and people; what is beyond 4096 bytes is cut, with a mark. */
  readonly description: string;
  /** It changes nothing. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Calling it twice has the effect of calling it once. Default false. */
  readonly idempotent?: boolean | undefined;
  /**
   * true: a call is always awaitable; false: it always blocks. Default: it blocks where no event loop
   * runs, and is awaitable where one does.
   */
  readonly isAsync?: boolean | undefined;
}

/** A function of the application that programs may call. Made by `defineTool`. */
export interface Tool<Input = unknown, Result = unknown> extends ToolTraits {
  readonly inputSchema?: StandardSchemaV1 | JsonSchemaLike | undefined;
  readonly outputSchema?: StandardSchemaV1 | JsonSchemaLike | undefined;
  /** The handler. A method, so that a tool of any input is a `Tool`. */
  execute(input: Input, info: ToolInfo): Result | PromiseLike<Result>;
}

/** A tool of the AI SDK, or any object with its fields; its name is the key that it stands under. */
export interface ToolLike {
  readonly description?: string | undefined;
  readonly inputSchema?: unknown;
  readonly outputSchema?: unknown;
  readonly execute?: ((input: never, info: never) => unknown) | undefined;
  readonly readOnly?: boolean | undefined;
  readonly idempotent?: boolean | undefined;
  readonly isAsync?: boolean | undefined;
}

/** The schemas of a tool that is to be made. */
export interface ToolSchemas<Input, Result> {
  /**
   * Checks the program's arguments; its defaults and coercions apply, and the handler gets its output.
   * Any Standard Schema, or a JSON Schema. Default: any object, of the type that the handler says.
   */
  readonly inputSchema?: StandardSchemaV1<unknown, Input> | JsonSchemaLike | undefined;
  /** Checks what the handler gives; the program gets its output. Default: anything that JSON holds. */
  readonly outputSchema?: StandardSchemaV1<Result, unknown> | JsonSchemaLike | undefined;
}

/** A function with a description: a tool of its own name, which gets its arguments unchecked. */
export type ToolFunction = ((input: never, info: never) => unknown) &
  Omit<ToolTraits, "name"> & { readonly name: string };

/** What `defineTool` takes. */
export interface ToolDefinition<Input, Result> extends ToolTraits, ToolSchemas<Input, Result> {
  readonly execute: (
    input: Input,
    info: ToolInfo,
  ) => NoInfer<Result> | PromiseLike<NoInfer<Result>>;
}

// A conditional type is filled in before the handler is looked at, so that the literals which it
// returns are checked against the schema's own.
type Handler<I, R> = [I, R] extends [infer Input, infer Result]
  ? (input: Input, info: ToolInfo) => Result | PromiseLike<Result>
  : never;

/**
 * Makes a tool. The handler's input has the type of `inputSchema`'s output, its result that of
 * `outputSchema`'s input. Throws `invalid_request` that names what is wrong with it.
 */
export function defineTool<Input = JsonObject, Result = unknown>(
  definition: ToolTraits &
    ToolSchemas<Input, Result> & { readonly execute: Handler<Input, Result> },
): Tool<Input, Result>;
/** Makes a tool of a function that says the type of its input itself. */
export function defineTool<Input = JsonObject, Result = unknown>(
  definition: ToolDefinition<Input, Result>,
): Tool<Input, Result>;
export function defineTool(definition: Tool): Tool {
  // Whatever is wrong with it is thrown where it is written.
  runnableTool(definition.name, definition);
  return definition;
}
