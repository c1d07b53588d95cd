import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { FailureReason } from "../../gen/es/codemode/v1/execution_pb.ts";
import { ToolFailureKind } from "../../gen/es/codemode/v1/tool_pb.ts";
import { formatInfo } from "../../src/cli/info.ts";
import { variableName } from "../../src/server/environment.ts";
import { settingsSchema } from "../../src/server/settings.ts";
import type { ErrorKind } from "../../src/shared/errors.ts";
import type { ServerInfo } from "../../src/shared/model.ts";
import { startServer } from "../support/server.ts";
import { noLock } from "../support/toolchain.ts";
import { pages, readPage, root, tableOf } from "./support/blocks.ts";
import { run } from "./support/run.ts";

/** The words that a page sets as code: `word` -> word. */
const inCode = (cell: string | undefined) => cell?.replace(/^`(.*)`$/, "$1") ?? "";

describe("the links on the pages", () => {
  it.each(pages)("lead somewhere (%s)", (page) => {
    // In a block `tools["weather"](...)` is no link.
    const text = readPage(page).replace(/^```[\s\S]*?^```$/gm, "");
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to ?? "");
    const broken = targets.filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [path = "", anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      if (!existsSync(join(root, file))) return true;
      return anchor !== undefined && !anchorsOf(file).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** Anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): string[] {
  const headings = [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, text]) => text ?? "");
  return headings.map((text) =>
    text
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );
}

describe("the table of settings", () => {
  const rows = tableOf("docs/configuration.md", "Setting", "Variable", "Default");

  it("has every setting, its variable, and its default where that is a fixed value", () => {
    const settings = [...leaves(z.toJSONSchema(settingsSchema, { io: "input" }))];
    expect(rows.map(([name, variable]) => [inCode(name), inCode(variable)])).toEqual(
      settings.map(({ path }) => [path.join("."), variableName(path)]),
    );
    for (const [index, { path, fallback }] of settings.entries()) {
      const cell = rows[index]?.[2] ?? "";
      if (fallback !== undefined)
        expect(cell, path.join(".")).toBe(`\`${JSON.stringify(fallback)}\``);
      else expect(cell, path.join(".")).toMatch(/^(?:none|as|what|`max_limits)/);
    }
  });
});

interface Leaf {
  readonly path: readonly string[];
  readonly fallback: unknown;
}

interface JsonSchema {
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, unknown>>;
}

function* leaves(schema: JsonSchema, path: readonly string[] = []): Generator<Leaf> {
  if (schema.properties === undefined) {
    yield { path, fallback: schema.default };
    return;
  }
  for (const [key, value] of Object.entries(schema.properties))
    yield* leaves(value as JsonSchema, [...path, key]);
}

describe("the tables of failures", () => {
  it("have every reason", () => {
    const known = Object.keys(FailureReason).map((name) => name.toLowerCase());
    const told = tableOf("docs/error-handling.md", "Reason", "Who decides").map(([name]) =>
      inCode(name),
    );
    expect(["unspecified", ...told]).toEqual([...known, "invalid_output"]);
  });

  it("have every kind of a tool's failure", () => {
    const known = Object.keys(ToolFailureKind).filter((name) => /^[A-Z]/.test(name));
    const told = tableOf("docs/tools.md", "Kind", "When").map(([name]) => inCode(name));
    expect(["unspecified", ...told]).toEqual(known.map((name) => name.toLowerCase()));
  });

  it("have every kind", () => {
    const kinds = {
      invalid_request: true,
      unauthenticated: true,
      permission_denied: true,
      not_found: true,
      already_exists: true,
      out_of_range: true,
      unsupported: true,
      overloaded: true,
      unavailable: true,
      deadline_exceeded: true,
      cancelled: true,
      execution_lost: true,
      internal: true,
    } satisfies Record<ErrorKind, true>;
    const rows = tableOf("docs/error-handling.md", "Kind", "gRPC status");
    expect(rows.map(([name]) => inCode(name))).toEqual(Object.keys(kinds));
  });
});

describe("the command line's page", () => {
  it.each(["serve", "run", "info"])("has every option of %s", async (command) => {
    const main = join(root, "src/cli/main.ts");
    const { stdout } = await run(process.execPath, [main, command, "--help"]);
    const options = [...stdout.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(
      ([, name]) => name ?? "",
    );
    expect(options.length).toBeGreaterThan(1);
    const page = readPage("docs/command-line.md");
    const untold = options.filter((name) => name !== "--help" && !page.includes(`\`${name}`));
    expect(untold).toEqual([]);
  });
});

describe.skipIf(noLock)("the tables of what a server tells", () => {
  let info: ServerInfo;

  beforeAll(async () => {
    await using server = await startServer();
    info = server.info();
  });

  it("have every limit with its default and its maximum", () => {
    const shown = formatInfo(info).split("\n");
    const start = shown.findIndex((line) => line.startsWith("limit "));
    const told = shown
      .slice(start + 1)
      .filter((line) => line !== "" && !line.startsWith("life without"))
      .map((line) => line.split(/ {2,}/))
      .map((cells) => (cells.length === 2 ? [cells[0], "", cells[1]] : cells));
    const rows = tableOf("docs/core-concepts.md", "Limit", "Default", "At most");
    expect(rows.map((row) => row.slice(0, 3))).toEqual(told);
  });

  it("have every probe of cpython", () => {
    const rows = tableOf("docs/isolation.md", "Probe", "Half of the wall");
    const probes = info.engines.find(({ name }) => name === "cpython")?.probes ?? [];
    expect(rows.map(([name]) => name).sort()).toEqual(probes.map(({ name }) => name).sort());
  });
});
