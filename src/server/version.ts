import { readFileSync } from "node:fs";
import { findPackageJSON } from "node:module";

/** Version of the package. */
export const version: string = read();

function read(): string {
  const file = findPackageJSON(import.meta.url);
  if (file === undefined) return "unknown";
  return String(JSON.parse(readFileSync(file, "utf8")).version);
}
