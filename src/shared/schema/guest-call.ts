import type { ToolDeclaration } from "../model.ts";
import { type Parameters, parametersOf } from "./parameters.ts";
import { pythonSignature } from "./python.ts";

/** How a guest calls a tool. */
export interface GuestCall extends Parameters {
  /** One line of Python. */
  readonly signature: string;
}

// A guest may ask for its tools again and again, and the lists of services are shared by executions.
const known = new WeakMap<ToolDeclaration, GuestCall>();

/** How a guest calls a tool; its schemas are read once. Throws a JsonError for a schema that is not JSON. */
export function guestCallOf(tool: ToolDeclaration): GuestCall {
  const made = known.get(tool);
  if (made !== undefined) return made;
  const call = { signature: pythonSignature(tool), ...parametersOf(tool.inputSchemaJson) };
  known.set(tool, call);
  return call;
}
