import type { ToolDeclaration } from "../model.ts";
import { type Parameters, parametersOf } from "./parameters.ts";
import { pythonSignature } from "./python.ts";
import { typescriptSignature } from "./typescript.ts";

/** How a guest calls a tool. */
export interface GuestCall extends Parameters {
  /** One line of the program's language. */
  readonly signature: string;
}

const notations = { python: pythonSignature, typescript: typescriptSignature };

// A guest may ask for its tools again and again, and the lists of services are shared by executions.
const known = {
  python: new WeakMap<ToolDeclaration, GuestCall>(),
  typescript: new WeakMap<ToolDeclaration, GuestCall>(),
};

/**
 * How a program of a language calls a tool: as in Python, or as in TypeScript. Its schemas are read
 * once. Throws a JsonError for a schema that is not JSON.
 */
export function guestCallOf(tool: ToolDeclaration, language: string): GuestCall {
  const notation = language === "python" ? "python" : "typescript";
  const made = known[notation].get(tool);
  if (made !== undefined) return made;
  const signature = notations[notation](tool);
  const call = { signature, ...parametersOf(tool.inputSchemaJson) };
  known[notation].set(tool, call);
  return call;
}
