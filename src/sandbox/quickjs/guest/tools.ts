import { failCall, settleCall, startCall } from "./calls.ts";
import { ToolError } from "./errors.ts";
import { inspectCustom } from "./format.ts";
import { nearNames } from "./near.ts";
import {
  append,
  brandOf,
  create,
  defineProperty,
  freeze,
  hasOwn,
  hidden,
  isArray,
  isListed,
  keys,
  NewPromise,
  NewProxy,
  NewTypeError,
  slice,
  stringify,
} from "./primordials.ts";

export { failCall, settleCall };

/** A tool as the host describes it. */
export interface DeclaredTool {
  readonly name: string;
  readonly signature: string;
  /** Names of the arguments; null where any are taken. */
  readonly parameters: readonly string[] | null;
  readonly required: readonly string[];
  /** Names that are null where absent; undefined for none. */
  readonly nullWhenAbsent?: readonly string[];
  /** Names that are absent where null; undefined for none. */
  readonly absentWhenNull?: readonly string[];
}

// What the host takes; no tool has a longer name.
const maxNameLength = 1024;
const maxShownLength = 128;

type ToolFunction = (...args: unknown[]) => Promise<unknown>;

const noNames: readonly string[] = [];
const metaNames = ["__list__", "__schema__", "__search__"];
// Asked of every object by the language itself: no answer means that it is nothing special.
const askedOfAll = ["then", "toJSON", "constructor", "toString", "valueOf", "inspect"];

/** The tools of this execution, by name. Names that are not there are refused with those that may have been meant. */
export function createTools(declared: readonly DeclaredTool[], hasMore: boolean): object {
  const tools = create(null) as Record<string, ToolFunction>;
  const names: string[] = [];
  for (let index = 0; index < declared.length; index++) {
    const tool = declared[index] as DeclaredTool;
    append(names, tool.name);
    define(tools, tool.name, toolFunction(tool), true);
  }
  for (let index = 0; index < metaNames.length; index++) {
    const name = metaNames[index] as string;
    if (!hasOwn(tools, name)) define(tools, name, anyTool(name), false);
  }
  const show = () => `[tools: ${joined(names)}]`;
  const refuse = () => {
    throw new NewTypeError("tools are read-only");
  };
  return new NewProxy(freeze(tools), {
    __proto__: null,
    get(_target: object, name: string | symbol) {
      if (typeof name === "symbol") return name === inspectCustom ? show : undefined;
      if (hasOwn(tools, name)) return tools[name];
      if (isListed(askedOfAll, name)) return name === "toString" ? show : undefined;
      if (hasMore && name.length <= maxNameLength) return anyTool(name);
      throw unknownTool(name, names);
    },
    set: refuse,
    defineProperty: refuse,
    deleteProperty: refuse,
    setPrototypeOf: refuse,
  } as ProxyHandler<object>);
}

function define(target: object, name: string, value: unknown, enumerable: boolean): void {
  defineProperty(target, name, { __proto__: null, value, enumerable } as PropertyDescriptor);
}

function named(name: string, call: ToolFunction): ToolFunction {
  hidden(call, "name", name);
  return freeze(call);
}

/** A tool whose arguments are for the host to judge. */
function anyTool(name: string): ToolFunction {
  return named(name, (...args) => {
    const fault = positional(args);
    return fault === undefined
      ? startCall(name, args[0] ?? {})
      : misfit(name, fault, `${name}({ ... })`);
  });
}

function toolFunction(declared: DeclaredTool): ToolFunction {
  const { name, signature, parameters, required } = declared;
  return named(name, (...args) => {
    const given = args[0] ?? {};
    const fault =
      positional(args) ?? (parameters && misnamed(given as object, parameters, required));
    return fault
      ? misfit(name, fault, signature || `${name}({ ... })`)
      : startCall(name, withNulls(given as object, declared));
  });
}

/** Arguments as the tool means them: null for what is null when left out, nothing for a null that means nothing. */
function withNulls(
  given: object,
  { nullWhenAbsent = noNames, absentWhenNull = noNames }: DeclaredTool,
): object {
  if (nullWhenAbsent.length === 0 && absentWhenNull.length === 0) return given;
  if (typeof (given as { toJSON?: unknown }).toJSON === "function") return given;
  if (brandOf(given) !== "[object Object]") return given;
  const meant = create(null) as Record<string, unknown>;
  const names = keys(given);
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    const value = (given as Record<string, unknown>)[name];
    const isAbsent = value === undefined || (value === null && isListed(absentWhenNull, name));
    if (!isAbsent) define(meant, name, value, true);
  }
  for (let index = 0; index < nullWhenAbsent.length; index++) {
    const name = nullWhenAbsent[index] as string;
    if (!hasOwn(meant, name)) define(meant, name, null, true);
  }
  return meant;
}

/** What is wrong with arguments that are not one object. */
function positional(args: unknown[]): string | undefined {
  if (args.length > 1) return `takes one object, got ${args.length} arguments`;
  const given = args[0];
  if (given === undefined) return undefined;
  if (given === null) return "takes one object, got null";
  if (typeof given !== "object") return `takes one object, got a ${typeof given}`;
  if (isArray(given)) return "takes one object, got an array";
  if (brandOf(given) === "[object Promise]") return "takes one object, got a promise: add await";
  return undefined;
}

/** What is wrong with the names of the arguments. */
function misnamed(
  given: object,
  parameters: readonly string[],
  required: readonly string[],
): string | undefined {
  const names = keys(given);
  for (let index = 0; index < names.length; index++) {
    const name = names[index] as string;
    if (isListed(parameters, name)) continue;
    const near = nearNames(name, parameters, 1);
    const hint = near.length > 0 ? `, did you mean ${stringify(near[0])}?` : "";
    return `has no argument ${stringify(name)}${hint}`;
  }
  let missing = "";
  for (let index = 0; index < required.length; index++) {
    const name = required[index] as string;
    if ((given as Record<string, unknown>)[name] !== undefined) continue;
    missing += `${missing === "" ? "" : ", "}${stringify(name)}`;
  }
  return missing === "" ? undefined : `is missing ${missing}`;
}

function misfit(name: string, fault: string, signature: string): Promise<never> {
  const error = new ToolError(`${name} ${fault}; it is ${signature}`, name, "invalid_arguments");
  return new NewPromise<never>((_resolve, reject) => reject(error));
}

function unknownTool(name: string, names: readonly string[]): ToolError {
  const near = nearNames(name, names, 3);
  let hint = "";
  for (let index = 0; index < near.length; index++) {
    hint += `${index === 0 ? "did you mean " : " or "}${stringify(near[index])}`;
  }
  if (hint !== "") hint += "?";
  else if (names.length === 0) hint = "this execution has no tools";
  else hint = "tools.__search__({ query }) finds tools";
  const shown = slice(name, 0, maxShownLength);
  return new ToolError(`there is no tool ${stringify(shown)}: ${hint}`, shown, "not_granted");
}

function joined(names: readonly string[]): string {
  let text = "";
  for (let index = 0; index < names.length; index++) {
    text += `${index === 0 ? "" : ", "}${names[index]}`;
  }
  return text;
}
