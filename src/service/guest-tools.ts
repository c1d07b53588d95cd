import type { GuestTool } from "../executors/executor.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { parametersOf } from "../shared/schema/parameters.ts";
import { pythonSignature } from "../shared/schema/python.ts";

// The lists of services are shared by the executions that use them.
const known = new WeakMap<ToolDeclaration, GuestTool>();

/** What a guest is told of a tool: how it is called, and nothing of who answers. */
export function toGuestTool(tool: ToolDeclaration): GuestTool {
  const made = known.get(tool);
  if (made !== undefined) return made;
  const { name, callForm, inputSchemaJson } = tool;
  const guestTool = {
    name,
    callForm,
    signature: pythonSignature(tool),
    ...parametersOf(inputSchemaJson),
  };
  known.set(tool, guestTool);
  return guestTool;
}
