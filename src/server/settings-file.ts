import { readFile } from "node:fs/promises";
import { parse as parseYaml } from "yaml";
import { CodemodeError } from "../shared/errors.ts";

/** The settings of a YAML file; none without a file. Rejects where it is not a map of settings. */
export async function readSettings(file: string | undefined): Promise<Record<string, unknown>> {
  if (file === undefined) return {};
  try {
    const settings: unknown = parseYaml(await readFile(file, "utf8")) ?? {};
    if (!isRecord(settings)) throw new Error("not a map of settings");
    return settings;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n", 1)[0] : "unreadable";
    throw new CodemodeError("invalid_request", `configuration file ${file}: ${why}`, { cause });
  }
}

/** Settings over others, map by map. */
export function merge(under: unknown, over: unknown): unknown {
  if (!isRecord(under) || !isRecord(over)) return over === undefined ? under : over;
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) merged[key] = merge(under[key], value);
  return merged;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
