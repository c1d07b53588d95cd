import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folders = [
  "shared",
  "sdk",
  "sandbox",
  "tools",
  "execution",
  "dispatch",
  "executors",
] as const;

/** Which folders of src/ may be imported from a folder, beside itself; gen/ and libraries always. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  shared: [],
  sdk: ["shared"],
  sandbox: ["shared"],
  tools: ["shared", "executors"],
  execution: ["shared"],
  executors: ["shared", "sandbox"],
  dispatch: ["shared", "executors"],
  service: ["shared", "execution", "dispatch", "executors", "tools"],
  server: ["shared", "service", "execution", "dispatch", "executors", "sandbox", "tools"],
  cli: ["shared", "sdk", "server"],
  "index.ts": ["shared", "sdk"],
  "server.ts": ["shared", "server", "executors"],
};

/** Folders from which a folder may take types, and nothing that runs. */
const typesOnly: Readonly<Record<string, readonly string[]>> = {
  dispatch: ["executors"],
  tools: ["executors"],
  service: ["executors"],
};

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

const files = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => join("src", name));

const statement =
  /^(?:import|export)\s+(?<type>type\s+)?(?:[^"';]*?\sfrom\s+)?"(?<target>[^"]+)"/gm;
const dynamic = /\bimport\(\s*"(?<target>[^"]+)"\s*\)/g;

/** The imports of a source text, relative ones resolved. */
function importsOf(from: string, text: string): Import[] {
  return [...text.matchAll(statement), ...text.matchAll(dynamic)].map(({ groups }) => {
    const target = groups?.target ?? "";
    const to = target.startsWith(".") ? normalize(join(dirname(from), target)) : target;
    return { from, to, isType: groups?.type !== undefined };
  });
}

/** "dispatch" for src/dispatch/local.ts, "index.ts" for src/index.ts. */
function partOf(path: string): string {
  return relative("src", path).split("/")[0] ?? "";
}

function faultOf({ from, to, isType }: Import): string | undefined {
  if (!to.startsWith("src/")) return undefined;
  const [importer, imported] = [partOf(from), partOf(to)];
  if (importer === imported) return undefined;
  if (!mayImport[importer]?.includes(imported)) return `${from} may not import ${to}`;
  if (typesOnly[importer]?.includes(imported) && !isType) return `${from} runs ${to}: types only`;
  return undefined;
}

const imports = files.flatMap((file) => importsOf(file, readFileSync(join(root, file), "utf8")));

describe("the architecture", () => {
  it("is seen by this test: the imports are found", () => {
    expect(imports.length).toBeGreaterThan(100);
    for (const folder of folders.filter((name) => files.some((file) => partOf(file) === name))) {
      if (folder === "shared") continue;
      expect(
        imports.some(({ from, to }) => partOf(from) === folder && partOf(to) === "shared"),
      ).toBe(true);
    }
  });

  it("finds every form of import, and tells types from values", () => {
    const text = [
      'import { a } from "../sdk/a.ts";',
      'import type { B } from "../server/b.ts";',
      "import {\n  c,\n  type D,\n} from './skipped';",
      'import {\n  c,\n  type D,\n} from "../cli/c.ts";',
      'export { e } from "../tools/e.ts";',
      'import "./f.ts";',
      'const g = await import("../sandbox/g.ts");',
    ].join("\n");
    expect(importsOf("src/shared/x.ts", text).map(({ to, isType }) => [to, isType])).toEqual([
      ["src/sdk/a.ts", false],
      ["src/server/b.ts", true],
      ["src/cli/c.ts", false],
      ["src/tools/e.ts", false],
      ["src/shared/f.ts", false],
      ["src/sandbox/g.ts", false],
    ]);
  });

  it("goes in one direction: every import is in the table", () => {
    expect(imports.map(faultOf).filter(Boolean)).toEqual([]);
  });

  it("knows every folder of src", () => {
    expect([...new Set(files.map(partOf))].filter((part) => !(part in mayImport))).toEqual([]);
  });

  it("imports sources and generated code only from within src and gen", () => {
    const outside = imports.filter(
      ({ to }) => /^\.\.|^(?:test|bench|examples|scripts)\//.test(to) || to.startsWith("/"),
    );
    expect(outside).toEqual([]);
  });

  it("names the file it imports, with its ending", () => {
    const bare = imports.filter(
      ({ to }) => /^(?:src|gen)\//.test(to) && !/\.(?:ts|json)$/.test(to),
    );
    expect(bare).toEqual([]);
  });

  it("reads the environment in config.ts alone, and in what starts from a user's shell", () => {
    const readers = files.filter((file) =>
      /process\.env/.test(readFileSync(join(root, file), "utf8")),
    );
    const allowed = /^src\/(?:server\/config[\w-]*|cli\/.*|sdk\/.*)\.ts$/;
    expect(readers.filter((file) => !allowed.test(file))).toEqual([]);
  });

  it.each(["src", "test"])("has no file of more than 300 lines in %s", (folder) => {
    const long = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => /\.(?:ts|py)$/.test(name))
      .map((name) => join(folder, name))
      .map((file) => ({
        file,
        lines: readFileSync(join(root, file), "utf8").split("\n").length - 1,
      }))
      .filter(({ lines }) => lines > 300);
    expect(long).toEqual([]);
  });
});
