import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripTypes } from "../strip-types.ts";
import type { Wall, WalledProcess } from "../wall/wall.ts";
import type { WorkerOptions } from "./guest/worker.ts";
import { keepFiles } from "./kept-files.ts";
import type { PyodidePackage } from "./package.ts";

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const own = path("./guest/");
/** Files that guests of both kinds have. */
const shared =
  "absent calls conversions ending frames library loops modules output places returns runner source tools values".split(
    " ",
  );

const scripts = "devices emscripten harden image imports interpreter main memory-limit ring worker";
const modules = [
  ...["serve", "channel", "event_loop"].map((name) => join(own, `${name}.py`)),
  ...shared.map((name) => path(`../cpython/guest/${name}.py`)),
];
/** Where an image of memory lies in a file. */
export type KeptImage = NonNullable<WorkerOptions["memory"]>;

const flags = [
  "--disallow-code-generation-from-strings", // nothing that runs here makes code of text
  "--wasm-lazy-validation", // the package is what it was when it was installed: a tenth off each start
];

/** What interpreters are started from. */
export interface Interpreters {
  readonly wall: Wall;
  readonly pyodide: PyodidePackage;
  readonly program: InterpreterProgram;
}

/** The program that holds an interpreter, ready to be started. */
export interface InterpreterProgram {
  /** Directory of its scripts. */
  readonly directory: string;
  readonly main: string;
  /** Text of all its files, by which it is known whether a kept memory is of this version. */
  readonly text: string;
}

/**
 * The program as it is, where it has been built; where its sources run, plain JavaScript made of them
 * below `directory`, since each process would otherwise take a third longer to start.
 */
export async function findProgram(directory: string): Promise<InterpreterProgram> {
  const isSource = import.meta.url.endsWith(".ts");
  const names = scripts.split(" ").map((name) => `${name}${isSource ? ".ts" : ".js"}`);
  const texts = await Promise.all(names.map((name) => readFile(join(own, name), "utf8")));
  const python = await Promise.all(modules.map((file) => readFile(file, "utf8")));
  const text = [...texts, ...python].join("\0");
  if (!isSource) return { directory: own, main: join(own, "main.js"), text };
  const plain = texts.map((script) =>
    stripTypes(script).replace(/(from "\.\/[\w-]+)\.ts"/g, '$1.mjs"'),
  );
  const hash = createHash("sha256").update(plain.join("\0")).digest("hex").slice(0, 16);
  const target = join(directory, `pyodide-scripts-${hash}`);
  await keepFiles(
    target,
    new Map(names.map((name, n) => [name.replace(".ts", ".mjs"), plain[n] ?? ""])),
  );
  return { directory: target, main: join(target, "main.mjs"), text };
}

/** Starts a process with an interpreter: one that runs a program in a kept memory, or makes one. */
export function startInterpreterProcess(
  { wall, pyodide, program }: Interpreters,
  memory: KeptImage | undefined,
): WalledProcess {
  const { directory, python } = pyodide;
  const options: Omit<WorkerOptions, "ring"> = {
    packageDirectory: directory,
    pythonVersion: python.split(".").slice(0, 2).join("."),
    memory,
    sources: memory === undefined ? modules : [],
  };
  return wall.start({
    args: [...flags, program.main, JSON.stringify(options)],
    readable: [program.directory, directory, ...(memory === undefined ? modules : [memory.path])],
  });
}
