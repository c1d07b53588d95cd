import type { GuestTool } from "../executors/executor.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { type GuestCall, guestCallOf } from "../shared/schema/guest-call.ts";

const known = new WeakMap<GuestCall, GuestTool>();

/**
 * What a guest is told of a tool: how its language calls it, and nothing of who answers. The same
 * object for the same declaration.
 */
export function toGuestTool(tool: ToolDeclaration, language: string): GuestTool {
  const call = guestCallOf(tool, language);
  const made = known.get(call);
  if (made !== undefined) return made;
  const { name, callForm } = tool;
  const guestTool = { name, callForm, ...call };
  known.set(call, guestTool);
  return guestTool;
}
