import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { z } from "zod";

const packageSchema = z.object({ version: z.string() });
const lockSchema = z.object({ info: z.object({ python: z.string() }) });

/** The npm package `pyodide` as it is installed. */
export interface PyodidePackage {
  readonly directory: string;
  /** Of the package. */
  readonly version: string;
  /** Of the Python in it: "3.14.2". */
  readonly python: string;
}

/** Finds the npm package; throws an Error with the reason when it is not installed. */
export async function findPyodide(): Promise<PyodidePackage> {
  let file: string;
  try {
    file = createRequire(import.meta.url).resolve("pyodide/package.json");
  } catch (cause) {
    throw new Error("the npm package pyodide is not installed", { cause });
  }
  const directory = dirname(file);
  const { version } = packageSchema.parse(await readJson(file));
  const { python } = lockSchema.parse(await readJson(join(directory, "pyodide-lock.json"))).info;
  return { directory, python, version };
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}
