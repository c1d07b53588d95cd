import { hash } from "node:crypto";
import { stringifyJson } from "../shared/json.ts";
import type { ExecutionRequest, JsonValue } from "../shared/model.ts";
import { digestOf } from "./declarations.ts";

// What makes a request the same as another: all of it but its own id and the id of its traces, and what
// is made of its code.
const fields = {
  code: "request.code",
  language: "request.language",
  context: "request.context",
  config: "request.config",
  limits: "request.limits",
  tools: "request.tools",
  toolServices: "request.tool_services",
  keepWithoutReaderMs: "request.keep_without_reader",
} satisfies Record<
  Exclude<keyof ExecutionRequest, "unfenced" | "requestId" | "correlationId">,
  string
>;

// 72 bits: callers can only ever confuse themselves, and there are many of these to keep.
const digestLength = 12;

/** A digest of each field of a request that counts, in one short text. */
export function fingerprintOf(request: ExecutionRequest): string {
  const { code, language, context, config, limits, tools, toolServices } = request;
  const texts = {
    code,
    language,
    // The members of a Struct come in any order.
    context: stringifyJson(sorted(context)),
    config: stringifyJson(sorted(config)),
    limits: JSON.stringify(limits),
    tools: digestOf(tools),
    toolServices: JSON.stringify(toolServices),
    keepWithoutReaderMs: String(request.keepWithoutReaderMs),
  } satisfies Record<keyof typeof fields, string>;
  return Object.values(texts)
    .map((text) => hash("sha256", text, "base64").slice(0, digestLength))
    .join("");
}

/** Names of the fields in which the requests of two fingerprints differ; none where they are the same. */
export function differingFields(one: string, other: string): string[] {
  return Object.values(fields).filter((_, index) => {
    const start = index * digestLength;
    return one.slice(start, start + digestLength) !== other.slice(start, start + digestLength);
  });
}

function sorted(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const members = Object.entries(value).map(([key, member]) => [key, sorted(member)] as const);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)));
}
