import { CodemodeError } from "../shared/errors.ts";
import { type RunnableTool, runnableTool } from "./runnable-tool.ts";
import type { Tool, ToolFunction, ToolLike } from "./tool.ts";

/** Tools by their names: tools that have one, or objects with a tool's fields under it. */
export type Tools =
  | readonly (Tool | ToolFunction)[]
  | { readonly [name: string]: ToolLike | ToolFunction };

/**
 * What one execution may call: tools of its own, and registered ones by name. Nothing else is in the
 * program's reach.
 */
export type ToolSelection =
  | readonly (Tool | ToolFunction | string)[]
  | { readonly [name: string]: ToolLike | ToolFunction };

/** Options of `ToolRegistry.register`. */
export interface RegisterOptions {
  /** A tool of the same name is replaced. Default false: it is an `already_exists`. */
  readonly overwrite?: boolean | undefined;
}

/** A tool as a registry tells of it. */
export interface ToolSummary {
  readonly name: string;
  readonly description: string;
}

/**
 * The application's tools, by name. A client's registry is shared by the clients bound to it; every
 * execution that names no tools of its own may call all of them, as they were when it began.
 */
export class ToolRegistry {
  readonly #tools = new Map<string, RunnableTool>();

  /**
   * Adds a tool, or several. Throws `already_exists` for a name that is taken (unless `overwrite`)
   * and `invalid_request` for what is no tool; nothing is added then.
   */
  register(tools: Tool | ToolFunction | Tools, options: RegisterOptions = {}): this {
    const added = runnableTools(isTool(tools) ? [tools] : tools);
    const taken = [...added.keys()].filter((name) => this.#tools.has(name));
    if (taken.length > 0 && options.overwrite !== true) {
      const names = taken.map((name) => JSON.stringify(name)).join(", ");
      throw new CodemodeError(
        "already_exists",
        `already registered: ${names}; pass overwrite: true`,
      );
    }
    for (const [name, tool] of added) this.#tools.set(name, tool);
    return this;
  }

  /** Name and description of a tool; undefined where there is none of this name. */
  get(name: string): ToolSummary | undefined {
    const tool = this.#tools.get(name);
    return tool && { name, description: tool.description };
  }

  has(name: string): boolean {
    return this.#tools.has(name);
  }

  /** Every tool, in the order in which they were registered. */
  list(): ToolSummary[] {
    return [...this.#tools.values()].map(({ name, description }) => ({ name, description }));
  }

  /** Removes a tool from what later executions may call; whether there was one. */
  remove(name: string): boolean {
    return this.#tools.delete(name);
  }

  /** @internal The tools of a selection, all of them without one. Throws `invalid_request`. */
  select(selection: ToolSelection | undefined): ReadonlyMap<string, RunnableTool> {
    if (selection === undefined) return new Map(this.#tools);
    return runnableTools(selection, this.#tools);
  }
}

/** Tools that were checked, by name; throws `invalid_request` for a name that is there twice. */
export function runnableTools(
  tools: ToolSelection,
  registered: ReadonlyMap<string, RunnableTool> = new Map(),
): ReadonlyMap<string, RunnableTool> {
  if (!Array.isArray(tools)) {
    return new Map(Object.entries(tools).map(([name, tool]) => [name, runnableTool(name, tool)]));
  }
  const found = new Map<string, RunnableTool>();
  for (const [index, tool] of tools.entries()) {
    const runnable = typeof tool === "string" ? registered.get(tool) : asRunnable(tool, index);
    if (runnable === undefined) throw unknownTool(tool, registered);
    const { name } = runnable;
    if (found.has(name)) {
      throw invalid(`tools[${index}]`, `the name ${JSON.stringify(name)} is there twice`);
    }
    found.set(name, runnable);
  }
  return found;
}

function asRunnable(tool: Tool | ToolFunction, index: number): RunnableTool {
  if (isTool(tool)) return runnableTool(tool.name, tool);
  throw invalid(`tools[${index}]`, "expected a tool with a name, or an object of tools by name");
}

function unknownTool(name: string, registered: ReadonlyMap<string, RunnableTool>): CodemodeError {
  const names = [...registered.keys()].map((each) => JSON.stringify(each)).join(", ");
  return invalid(
    "tools",
    `no tool ${JSON.stringify(name)} is registered, only: ${names || "none"}`,
  );
}

function invalid(field: string, description: string): CodemodeError {
  return new CodemodeError("invalid_request", `${field}: ${description}`, {
    violations: [{ field, description }],
  });
}

function isTool(value: unknown): value is Tool | ToolFunction {
  if (typeof value === "function") return "description" in value;
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "execute" in value &&
    typeof value.execute === "function"
  );
}
