import type { ToolDeclaration } from "../model.ts";
import { type Parameters, parametersOfShape } from "./parameters.ts";
import { pythonSignatureOf } from "./python.ts";
import { shapeOf } from "./shape.ts";
import { typescriptSignatureOf } from "./typescript.ts";

/** How a guest calls a tool. */
export interface GuestCall extends Parameters {
  /** One line of the program's language. */
  readonly signature: string;
}

const notations = { python: pythonSignatureOf, typescript: typescriptSignatureOf };

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
  const input = shapeOf(tool.inputSchemaJson);
  const signature = notations[notation](tool.name, input, shapeOf(tool.outputSchemaJson));
  const call = { signature, ...parametersOfShape(input) };
  known[notation].set(tool, call);
  return call;
}
