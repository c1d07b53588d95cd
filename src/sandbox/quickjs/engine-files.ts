import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { stripTypes } from "../strip-types.ts";
import type { GuestModule } from "./engine/prelude.ts";
import type { EngineFiles } from "./engine/snapshot.ts";

const extensions = ["url", "encoding", "structured-clone"];

/** Modules of guest/, each after those that it imports. */
const guestModules = [
  "primordials",
  "host",
  "format",
  "errors",
  "near",
  "conversions",
  "from-json",
  "json",
  "calls",
  "table",
  "console",
  "timers",
  "random",
  "promises",
  "web",
  "report",
  "program",
  "tools",
  "search-params",
  "urls",
  "abort",
  "intl-options",
  "intl-segments",
  "intl",
  "locale-methods",
  "encoding",
  "main",
];

// The package looks at a global that QuickJS does not have; nothing of it is kept.
const inspectModule = (code: string) =>
  `globalThis.Atomics = {}; const module = { exports: {} }, exports = module.exports; ${code};
delete globalThis.Atomics; globalThis.util = module.exports;`;

/** What the engine is made of, and its version. */
export interface VersionedFiles extends EngineFiles {
  /** Of the package that QuickJS is from. */
  readonly version: string;
}

/** Reads what the engine is made of: it has no files of its own. */
export async function readEngineFiles(): Promise<VersionedFiles> {
  const { resolve } = createRequire(import.meta.url);
  const manifest = await readFile(resolve("quickjs-wasi/package.json"), "utf8");
  const read = async (name: string) => new Uint8Array(await readFile(resolve(name)));
  const inspect = await readFile(resolve("node-inspect-extracted"), "utf8");
  return {
    version: `quickjs-wasi ${JSON.parse(manifest).version}`,
    quickjs: await read("quickjs-wasi/quickjs.wasm"),
    extensions: await Promise.all(
      extensions.map(async (name) => ({ name, wasm: await read(`quickjs-wasi/${name}.so`) })),
    ),
    prelude: [
      { name: "util", code: inspectModule(inspect) },
      ...(await Promise.all(guestModules.map(readGuestModule))),
    ],
  };
}

/** A module of guest/ as JavaScript: its types are taken away where the package has not been built. */
async function readGuestModule(name: string): Promise<GuestModule> {
  const ending = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const path = fileURLToPath(new URL(`./guest/${name}.${ending}`, import.meta.url));
  const code = await readFile(path, "utf8");
  return { name, code: ending === "ts" ? stripTypes(code) : code };
}
