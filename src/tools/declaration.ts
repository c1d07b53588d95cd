import { cutText } from "../shared/capped-text.ts";
import { JsonError, parseJsonObject } from "../shared/json.ts";
import type { ToolDeclaration } from "../shared/model.ts";

const maxNameLength = 128;
const maxDescriptionBytes = 4096;
const maxSchemaBytes = 64 * 1024;

/** The declaration with a description that is not too long: one beyond its bound is cut, with a mark. */
export function withShortDescription(tool: ToolDeclaration): ToolDeclaration {
  const description = cutText(tool.description, maxDescriptionBytes);
  return description === tool.description ? tool : { ...tool, description };
}

/** What is wrong with a field of a declaration, the field as the wire calls it. */
export interface DeclarationFault {
  readonly field: "name" | "input_schema_json" | "output_schema_json";
  readonly description: string;
}

/** Everything that is wrong with the declaration of a tool; empty when it can be served. */
export function declarationFaults(tool: ToolDeclaration): readonly DeclarationFault[] {
  const schemas = {
    input_schema_json: tool.inputSchemaJson,
    output_schema_json: tool.outputSchemaJson,
  };
  const faults: [DeclarationFault["field"], string | undefined][] = [
    ["name", nameFault(tool.name)],
    ["input_schema_json", schemaFault(schemas.input_schema_json)],
    ["output_schema_json", schemaFault(schemas.output_schema_json)],
  ];
  return faults.flatMap(([field, description]) => (description ? [{ field, description }] : []));
}

function nameFault(name: string): string | undefined {
  if (name === "") return "is empty";
  const length = [...name].length;
  if (length > maxNameLength) return `is ${length} characters, at most ${maxNameLength}`;
  if (name.startsWith("__")) return 'begins with "__", which is kept for the service';
  // It stands in messages, signatures and logs.
  if (/\p{Cc}/u.test(name)) return "has a control character";
  return undefined;
}

function schemaFault(text: string): string | undefined {
  if (text === "") return undefined;
  const size = sizeFault(text, maxSchemaBytes);
  if (size !== undefined) return size;
  try {
    parseJsonObject(text);
    return undefined;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return `is not a JSON Schema: ${error.message}`;
  }
}

function sizeFault(text: string, maxBytes: number): string | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes > maxBytes ? `is ${bytes} bytes, at most ${maxBytes}` : undefined;
}
