import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Codemode, type ExecutionLimits, type Tool } from "../../src/index.ts";
import { loadConfig } from "../../src/server/config.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { noCommand, noLock } from "../support/toolchain.ts";
import { type Block, blocksOf, pages, root, wordsOf } from "./support/blocks.ts";
import { linesOf, type Ran, run, runNode, toPattern } from "./support/run.ts";

// The convention of the pages: a service runs, and CODEMODE_EXECUTOR_URL says where. A block says
// what it prints in comments, `// prints: 4` or `# prints: 4`. In these "..." stands for any
// characters, and alone for any lines. The programs of a page can call what a block of the same page
// exports as `tools`.

/** Blocks that are marked `<!-- not run: ... -->`, by their first line, and why. */
const notRun: Readonly<Record<string, string>> = {
  "README.md: npm ci && npm run demo": "installs the project",
  "README.md: npm start": "serves until it is stopped",
  "README.md: grpcurl -plaintext -import-path proto -proto codemode/v1/executor.proto \\":
    "needs grpcurl, which is not an npm package",
  "docs/getting-started.md: npm ci && npm run demo": "installs the project",
  "docs/getting-started.md: npm start": "serves until it is stopped",
  "docs/command-line.md: npm start": "serves until it is stopped",
};

/** Languages of programs for the service; `ts` is the application's own. */
const guests = ["python", "javascript", "typescript"];

/** Languages of blocks in which nothing can be run. */
const prose = ["text", "proto", "json"];

const blocks = pages.flatMap((file) => blocksOf(file));
const runnable = (...languages: readonly string[]) =>
  blocks
    .filter((block) => languages.includes(block.language) && block.notRun === undefined)
    .map((block) => ({ ...block, at: `${block.file}:${block.line}` }));

const noCurl = noLock ?? (await noCommand("curl", "--version"));

let server: TestServer;
let folder: string;

beforeAll(async () => {
  mkdirSync(join(root, ".cache"), { recursive: true });
  // Inside the project, so that `import ... from "codemode"` means this project.
  folder = mkdtempSync(join(root, ".cache", "docs-"));
  if (noLock === undefined) server = await startServer();
});

afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (noLock === undefined) await server[Symbol.asyncDispose]();
});

const env = () => ({ CODEMODE_EXECUTOR_URL: server.url });

function expectPrinted(printed: string, expected: readonly string[]): void {
  // Only a text that does not fit is worth a comparison line by line.
  if (!toPattern(expected).test(printed)) expect(linesOf(printed)).toEqual(expected);
}

describe("the pages", () => {
  it("have blocks in known languages only", () => {
    const known = ["ts", "sh", "yaml", ...guests, ...prose];
    expect(blocks.length).toBeGreaterThan(40);
    expect(blocks.filter(({ language }) => !known.includes(language))).toEqual([]);
  });

  it("mark every block that is not run, with the reason that this test has", () => {
    const marked = blocks.flatMap((block) =>
      block.notRun === undefined ? [] : [[nameOf(block), block.notRun]],
    );
    expect(Object.fromEntries(marked)).toEqual(notRun);
  });
});

function nameOf({ file, code }: Block): string {
  return `${file}: ${code.split(/\s+#|\n/, 1)[0]}`;
}

describe("the TypeScript on the pages", () => {
  const programs = runnable("ts");

  it("has no type errors", async () => {
    for (const { file, line, code } of programs)
      writeFileSync(join(folder, `${file.replaceAll("/", "-")}-${line}.ts`), code);
    const ambient = join(root, "src/sandbox/quickjs/engine/webassembly.d.ts");
    const extending = { extends: join(root, "tsconfig.json"), include: ["*.ts", ambient] };
    const options = {
      noUnusedLocals: false,
      types: ["node"],
      typeRoots: [join(root, "node_modules/@types")],
    };
    const config = join(folder, "tsconfig.json");
    writeFileSync(config, JSON.stringify({ ...extending, compilerOptions: options }));
    const { stdout } = await run(join(root, "node_modules/.bin/tsc"), ["-p", config]);
    expect(stdout).toBe("");
  });

  it.skipIf(noLock).each(programs)("prints what it says ($at)", async (block) => {
    const program = join(folder, `run-${block.line}-${block.file.replaceAll("/", "-")}.ts`);
    writeFileSync(program, block.code);
    const ran = await runNode(program, env());
    expect(ran).toMatchObject({ exitCode: 0, stderr: "" });
    expectPrinted(ran.stdout, wordsOf(block, "prints"));
  });
});

describe.skipIf(noLock)("the guests' programs on the pages", () => {
  it.each(runnable(...guests))("do what they say ($at)", async (block) => {
    await using codemode = Codemode.connect({ url: server.url });
    const result = await codemode.execute(block.code, {
      language: block.language,
      context: { client_id: "acme", user_id: "user_123" },
      limits: limitsOf(block),
      tools: await toolsOf(block.file),
    });
    const [reason] = wordsOf(block, "fails");
    const [value] = wordsOf(block, "gives");
    const ending = result.status === "failed" ? result.error.reason : undefined;
    expect(ending, inspect(result)).toBe(reason);
    if (value !== undefined) expect(result).toMatchObject({ text: value });
    // Output is not given where a program is stopped for it.
    if (reason === undefined) expectPrinted(result.stdout, wordsOf(block, "prints"));
  });
});

/** The tools that a page defines for its programs: what the one block that exports any exports. */
async function toolsOf(page: string): Promise<readonly Tool[]> {
  const [block, ...others] = blocks.filter(
    ({ file, code }) => file === page && /^export const tools\b/m.test(code),
  );
  expect(others).toEqual([]);
  if (block === undefined) return [];
  const program = join(folder, `tools-of-${page.replaceAll("/", "-")}.ts`);
  writeFileSync(program, block.code);
  const module: { readonly tools: readonly Tool[] } = await import(program);
  return module.tools;
}

/** `# limits: wallMs=500, threads=4` */
function limitsOf(block: Block): ExecutionLimits {
  const pairs = wordsOf(block, "limits").flatMap((text) => text.split(", "));
  return Object.fromEntries(pairs.map((pair) => pair.split("=")).map(([k, v]) => [k, Number(v)]));
}

describe.skipIf(noCurl)("the shell commands on the pages", () => {
  it.each(runnable("sh"))("do what they say ($at)", async (block) => {
    const { stdout, stderr, exitCode }: Ran = await run(
      "bash",
      ["-c", `exec 2>&1\n${block.code}`],
      {
        ...env(),
        npm_config_loglevel: "error",
      },
    );
    const [exits = "0"] = wordsOf(block, "exits");
    expect(stderr).toBe("");
    expect(exitCode, stdout).toBe(Number(exits));
    const expected = wordsOf(block, "prints");
    if (expected.length > 0) expectPrinted(stdout, expected);
  });
});

describe("the configurations on the pages", () => {
  it.each(runnable("yaml"))("are accepted ($at)", async (block) => {
    const file = join(folder, `config-${block.line}.yaml`);
    writeFileSync(file, block.code);
    const [fault] = wordsOf(block, "fails");
    const loaded = loadConfig({ file, env: {} });
    if (fault !== undefined) await expect(loaded).rejects.toThrow(fault);
    else await loaded;
  });
});
