import type { GuestTool } from "../executors/executor.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { guestCallOf } from "../shared/schema/guest-call.ts";

/** What a guest is told of a tool: how its language calls it, and nothing of who answers. */
export function toGuestTool(tool: ToolDeclaration, language: string): GuestTool {
  const { name, callForm } = tool;
  return { name, callForm, ...guestCallOf(tool, language) };
}
