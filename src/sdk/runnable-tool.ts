import { cutText } from "../shared/capped-text.ts";
import { CodemodeError, type FieldViolation } from "../shared/errors.ts";
import { JsonError, parseJsonObject, stringifyJson } from "../shared/json.ts";
import type { ToolAnswer, ToolDeclaration } from "../shared/model.ts";
import { createMeaning } from "./meant-arguments.ts";
import type { CheckedOutput } from "./output-schema.ts";
import type { Side } from "./standard-json.ts";
import type { ToolFunction, ToolInfo, ToolLike } from "./tool.ts";
import { thrownFailure, toolFailure } from "./tool-failure.ts";
import { type ToolSchema, toToolSchema } from "./tool-schema.ts";

/** A tool that was checked: what the service is told of it, and how a call of it is answered. */
export interface RunnableTool {
  readonly name: string;
  readonly description: string;
  /** Rejects with `invalid_request` where a schema that comes later turns out to be none. */
  declare(): Promise<ToolDeclaration>;
  /** Answers a call; whatever goes wrong is an answer too. `maxBytes` bounds the result's JSON text. */
  run(argumentsJson: string, info: ToolInfo, maxBytes: number): Promise<ToolAnswer>;
}

const maxNameLength = 128;
const maxDescriptionBytes = 4096;
// What the AI SDK and its kin call a tool that must not run before a person has agreed.
const approvals = ["needsApproval", "requireApproval", "requiresApproval", "needs_approval"];
const noApprovals =
  "the tool wants a person's approval before it runs, and nobody can be asked yet: leave it out, or ask in its handler";

const known = new WeakMap<object, Map<string, RunnableTool>>();

/** A tool under a name, checked once; throws `invalid_request` that names every fault. */
export function runnableTool(name: string, tool: ToolLike | ToolFunction): RunnableTool {
  const names = known.get(tool) ?? new Map<string, RunnableTool>();
  known.set(tool, names);
  const found = names.get(name);
  if (found !== undefined) return found;
  const made = makeRunnable(name, typeof tool === "function" ? fromFunction(tool) : tool);
  names.set(name, made);
  return made;
}

function fromFunction(execute: ToolFunction): ToolLike {
  const { description, readOnly, idempotent, isAsync } = execute;
  const asked = approvals.map((field) => [field, Reflect.get(execute, field)]);
  return { ...Object.fromEntries(asked), description, readOnly, idempotent, isAsync, execute };
}

function makeRunnable(name: string, tool: ToolLike): RunnableTool {
  const { isAsync, readOnly = false, idempotent = false } = tool;
  const violations = traitViolations(name, tool);
  const description = cutText(String(tool.description ?? ""), maxDescriptionBytes);
  const [input, output] = (["input", "output"] as const).map((side) =>
    readSchema(tool, side, violations),
  );
  if (violations.length > 0 || input === undefined || output === undefined) {
    throw refused(name, violations);
  }
  const schemas = { input, output, meaning: createMeaning(input.json) };
  const callForm = isAsync === undefined ? "auto" : isAsync ? "async" : "sync";
  return {
    name,
    description,
    async declare() {
      const [inputSchemaJson, outputSchemaJson] = await schemaTexts(name, input, output);
      const schemas = { inputSchemaJson, outputSchemaJson };
      return { name, description, ...schemas, callForm, readOnly, idempotent };
    },
    async run(argumentsJson, info, maxBytes) {
      try {
        return await answer(tool, schemas, argumentsJson, info, maxBytes);
      } catch (error) {
        return { error: thrownFailure(error) };
      }
    },
  };
}

interface Schemas {
  readonly input: ToolSchema;
  readonly output: ToolSchema;
  readonly meaning: ReturnType<typeof createMeaning>;
}

async function answer(
  tool: ToolLike,
  { input, output, meaning }: Schemas,
  argumentsJson: string,
  info: ToolInfo,
  maxBytes: number,
): Promise<ToolAnswer> {
  const given = await checkArguments(input, meaning, argumentsJson);
  if ("fault" in given) {
    return { error: toolFailure("invalid_arguments", `invalid arguments: ${given.fault}`) };
  }
  const result = await lastOf(await call(tool, given.value, info));
  const checked = await output.check(result);
  if ("fault" in checked) return invalidResult(checked.fault);
  return toAnswer(checked.value, maxBytes);
}

async function checkArguments(
  input: ToolSchema,
  meaning: Schemas["meaning"],
  argumentsJson: string,
): Promise<CheckedOutput> {
  try {
    return await input.check(await meaning(parseJsonObject(argumentsJson)));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { fault: error.message };
  }
}

/** Calls the handler, which finds the AI SDK's own words for what it is told beside ours. */
async function call(tool: ToolLike, input: unknown, info: ToolInfo): Promise<unknown> {
  const options = {
    ...info,
    toolCallId: info.callId,
    abortSignal: info.signal,
    experimental_context: info.context,
    messages: [],
  };
  const { execute } = tool as { execute: (input: unknown, options: unknown) => unknown };
  return await execute.call(tool, input, options);
}

/** A generator's last value: a tool of the AI SDK may yield preliminary results before its own. */
async function lastOf(result: unknown): Promise<unknown> {
  if (typeof result !== "object" || result === null || !(Symbol.asyncIterator in result)) {
    return result;
  }
  let last: unknown;
  for await (const value of result as AsyncIterable<unknown>) last = value;
  return last;
}

function toAnswer(value: unknown, maxBytes: number): ToolAnswer {
  let resultJson: string;
  try {
    resultJson = value === undefined ? "null" : stringifyJson(value);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return invalidResult(error.message);
  }
  const bytes = Buffer.byteLength(resultJson);
  if (bytes <= maxBytes) return { resultJson };
  return invalidResult(`$: ${bytes} bytes of JSON, at most ${maxBytes} can be given back`);
}

function invalidResult(fault: string): ToolAnswer {
  return { error: toolFailure("invalid_result", `invalid result: ${fault}`) };
}

function traitViolations(name: string, tool: ToolLike): FieldViolation[] {
  const { description = "", execute } = tool;
  const violations: FieldViolation[] = [];
  const add = (field: string, text: string) => violations.push({ field, description: text });
  if (typeof name !== "string" || name === "" || name.length > maxNameLength) {
    add("name", `expected 1 to ${maxNameLength} characters`);
  } else if (name.startsWith("__")) {
    add("name", 'names that begin with "__" are kept for the service');
  } else if (!name.isWellFormed()) {
    add("name", "the text has a lone surrogate");
  } else if (/\p{Cc}/u.test(name)) {
    add("name", "the text has a control character");
  }
  if (typeof description !== "string") add("description", "expected text");
  for (const field of approvals) {
    // A function decides at each call: it may say yes to any.
    if (Reflect.get(tool, field)) add(field, noApprovals);
  }
  if (typeof execute !== "function") add("execute", "expected a function");
  return violations;
}

function readSchema(
  tool: ToolLike,
  side: Side,
  violations: FieldViolation[],
): ToolSchema | undefined {
  const field = side === "input" ? "inputSchema" : "outputSchema";
  try {
    return toToolSchema(tool[field], side);
  } catch (error) {
    violations.push({ field, description: describe(error) });
    return undefined;
  }
}

async function schemaTexts(
  name: string,
  input: ToolSchema,
  output: ToolSchema,
): Promise<[string, string]> {
  try {
    return [await input.json, await output.json];
  } catch (error) {
    throw refused(name, [{ field: "schema", description: describe(error) }]);
  }
}

function refused(name: string, faults: readonly FieldViolation[]): CodemodeError {
  const text = faults.map(({ field, description }) => `${field}: ${description}`).join("; ");
  return new CodemodeError("invalid_request", `the tool ${JSON.stringify(name)}: ${text}`, {
    violations: faults.map(({ field, description }) => ({
      field: `tools[${JSON.stringify(name)}].${field}`,
      description,
    })),
  });
}

function describe(error: unknown): string {
  return thrownFailure(error).message;
}
