import type { ToolDeclaration as ToolDeclarationMessage } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { fromToolDeclarationMessage } from "../shared/wire/tool.ts";
import { declarationFaults, withShortDescription } from "../tools/declaration.ts";
import type { Faults } from "./faults.ts";

const maxTools = 256;
// Of all tools together: each is read before the program starts.
const maxSchemaBytes = 512 * 1024;
// A status has no room for more, and nobody reads it.
const maxNamed = 20;

/** The tools that a request declares; what is wrong with them becomes faults. */
export function parseTools(
  messages: readonly ToolDeclarationMessage[],
  faults: Faults,
): readonly ToolDeclaration[] {
  const field = "request.tools";
  if (messages.length > maxTools) {
    faults.add(field, `are ${messages.length} tools, at most ${maxTools}`);
    return [];
  }
  const tools = messages.map(fromToolDeclarationMessage).map(withShortDescription);
  const schemaBytes = tools.reduce((sum, tool) => sum + schemaBytesOf(tool), 0);
  if (schemaBytes > maxSchemaBytes) {
    faults.add(field, `have ${schemaBytes} bytes of schemas in all, at most ${maxSchemaBytes}`);
    return [];
  }
  const first = new Map<string, number>();
  for (const [index, tool] of tools.entries()) {
    for (const fault of declarationFaults(tool)) {
      faults.add(`${field}[${index}].${fault.field}`, fault.description);
    }
    const same = first.get(tool.name);
    if (same === undefined) first.set(tool.name, index);
    else faults.add(`${field}[${index}].name`, `${quoted(tool.name)} is that of ${field}[${same}]`);
  }
  return tools;
}

/** The tool services that a request chooses; unknown names become faults that name the known ones. */
export function parseToolServices(
  names: readonly string[],
  known: readonly string[],
  faults: Faults,
): readonly string[] {
  const field = "request.tool_services";
  const configured =
    known.length === 0 ? "none is configured" : `known are ${known.slice(0, maxNamed).join(", ")}`;
  const strangers = names.filter((name) => !known.includes(name));
  for (const name of strangers.slice(0, maxNamed)) {
    faults.add(field, `is ${quoted(name)}, ${configured}`);
  }
  return [...new Set(names)];
}

function schemaBytesOf({ inputSchemaJson, outputSchemaJson }: ToolDeclaration): number {
  return Buffer.byteLength(inputSchemaJson) + Buffer.byteLength(outputSchemaJson);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
