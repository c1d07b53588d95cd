import { stringifyJson } from "../shared/json.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { guestCallOf } from "../shared/schema/guest-call.ts";
import { searchTools } from "./search.ts";

/** The tools that a program may call, and the language that it calls them in. */
export interface Catalog {
  readonly tools: readonly ToolDeclaration[];
  readonly language: string;
}

/** The catalog as JSON text: every tool with what it does and how it is called. */
export function listTools({ tools, language }: Catalog): string {
  return stringifyJson(tools.map((tool) => summary(tool, language)));
}

/** One tool with its schemas as JSON text. */
export function toolSchema(tool: ToolDeclaration, language: string): string {
  const { name, description } = tool;
  const { signature } = guestCallOf(tool, language);
  const head = stringifyJson({ name, description, signature }).slice(0, -1);
  // As the application wrote them: read and written again, 5.0 would become 5.
  const input = tool.inputSchemaJson || "{}";
  const output = tool.outputSchemaJson || "{}";
  return `${head},"input_schema":${input},"output_schema":${output}}`;
}

/** The tools that a query fits as JSON text, best first. */
export function findTools({ tools, language }: Catalog, query: string, limit: number): string {
  const found = searchTools(tools, query, limit);
  return stringifyJson(
    found.map(({ tool, score }) => ({
      ...summary(tool, language),
      score: Math.round(score * 100) / 100,
    })),
  );
}

function summary(tool: ToolDeclaration, language: string) {
  const { name, description, readOnly, idempotent, callForm } = tool;
  return {
    name,
    description,
    signature: guestCallOf(tool, language).signature,
    read_only: readOnly,
    idempotent,
    call_form: callForm,
  };
}
