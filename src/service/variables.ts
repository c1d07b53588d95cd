import { JsonError, stringifyJson } from "../shared/json.ts";
import type { JsonObject, JsonValue } from "../shared/model.ts";
import type { Faults } from "./faults.ts";

const maxBytes = 64 * 1024;
const maxDepth = 32;
// A path is as long as a caller's keys; status messages travel in headers.
const maxPathLength = 256;

/** The variables of a Struct field, checked: at most 64 KiB of JSON, 32 levels deep. */
export function parseVariables(
  value: JsonObject | undefined,
  field: string,
  faults: Faults,
): JsonObject {
  if (value === undefined) return {};
  if (isDeeper(value, maxDepth)) {
    faults.add(field, `is nested deeper than ${maxDepth} levels`);
    return value;
  }
  try {
    const bytes = Buffer.byteLength(stringifyJson(value));
    if (bytes > maxBytes) faults.add(field, `is ${bytes} bytes of JSON, at most ${maxBytes}`);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    faults.add(field, `is not JSON at ${error.message.slice(0, maxPathLength)}`);
  }
  return value;
}

function isDeeper(value: JsonValue, levels: number): boolean {
  if (value === null || typeof value !== "object") return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}
