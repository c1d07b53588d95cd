import { createHash } from "node:crypto";
import type { ToolDeclaration as ToolDeclarationMessage } from "../../gen/es/codemode/v1/tool_pb.ts";
import type { ToolDeclaration } from "../shared/model.ts";
import { runAtOnce, type Steps } from "../shared/turns.ts";
import { fromToolDeclarationMessage } from "../shared/wire/tool.ts";
import { declarationFaults, withShortDescription } from "../tools/declaration.ts";
import type { Faults } from "./faults.ts";

const maxTools = 1_000;
// Of all tools together.
const maxSchemaBytes = 4 * 1024 * 1024;
// A status has no room for more, and nobody reads it.
const maxNamed = 20;

/** The tools that a request declares. */
export interface Declared {
  readonly tools: readonly ToolDeclaration[];
  /** Of all of them, the same for the same declarations. */
  readonly digest: string;
  /** What is wrong with them, the fields as the wire calls them. */
  readonly faults: readonly { readonly field: string; readonly description: string }[];
}

const digests = new WeakMap<readonly ToolDeclaration[], string>();

/** Reads the tools that a request declares, one with each step. */
export function* readTools(messages: readonly ToolDeclarationMessage[]): Steps<Declared> {
  const field = "request.tools";
  const refuse = (description: string) => ({
    tools: [],
    digest: "",
    faults: [{ field, description }],
  });
  if (messages.length > maxTools) {
    return refuse(`are ${messages.length} tools, at most ${maxTools}`);
  }
  const schemaBytes = messages.reduce((sum, tool) => sum + schemaBytesOf(tool), 0);
  if (schemaBytes > maxSchemaBytes) {
    return refuse(`have ${schemaBytes} bytes of schemas in all, at most ${maxSchemaBytes}`);
  }
  const faults: { field: string; description: string }[] = [];
  const tools: ToolDeclaration[] = [];
  const first = new Map<string, number>();
  for (const [index, message] of messages.entries()) {
    yield;
    const tool = withShortDescription(fromToolDeclarationMessage(message));
    tools.push(tool);
    const own = `${field}[${index}]`;
    for (const fault of declarationFaults(tool)) {
      faults.push({ field: `${own}.${fault.field}`, description: fault.description });
    }
    const same = first.get(tool.name);
    if (same === undefined) first.set(tool.name, index);
    else {
      const description = `${quoted(tool.name)} is that of ${field}[${same}]`;
      faults.push({ field: `${own}.name`, description });
    }
  }
  const digest = yield* digestTools(messages);
  digests.set(tools, digest);
  return { tools, digest, faults };
}

/** A digest of declarations, whole or as read from their messages. */
export function* digestTools(
  tools: readonly (ToolDeclarationMessage | ToolDeclaration)[],
): Steps<string> {
  const hash = createHash("sha256");
  for (const { name, description, inputSchemaJson, outputSchemaJson, ...rest } of tools) {
    yield;
    const texts = [name, description, inputSchemaJson, outputSchemaJson];
    const { readOnly, idempotent, callForm } = rest;
    // Lengths keep the texts apart.
    hash.update(
      JSON.stringify([...texts.map(({ length }) => length), readOnly, idempotent, callForm]),
    );
    for (const text of texts) hash.update(text);
  }
  return hash.digest("base64");
}

/** The digest of the tools of a request that was read; made for any others. */
export function digestOf(tools: readonly ToolDeclaration[]): string {
  return digests.get(tools) ?? runAtOnce(digestTools(tools));
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

function schemaBytesOf({ inputSchemaJson, outputSchemaJson }: ToolDeclarationMessage): number {
  return Buffer.byteLength(inputSchemaJson) + Buffer.byteLength(outputSchemaJson);
}

function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}
