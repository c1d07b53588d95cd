import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";
import { noLock } from "../support/toolchain.ts";
import { root } from "./support/blocks.ts";

const items: Readonly<Record<string, readonly string[]>> = {
  acme: ["anvil", "rope", "rocket skates"],
  globex: ["laser", "drone"],
  initech: ["stapler"],
};
const tenants = Object.keys(items);

describe.skipIf(noLock)("examples/multi-tenant-app", () => {
  let server: TestServer;
  let app: ChildProcess;
  let url: string;

  beforeAll(async () => {
    server = await startServer();
    app = spawn(
      process.execPath,
      ["--conditions=codemode-source", "examples/multi-tenant-app/server.ts"],
      {
        cwd: root,
        stdio: ["ignore", "pipe", "inherit"],
        env: { ...process.env, CODEMODE_EXECUTOR_URL: server.url, PORT: "0" },
      },
    );
    if (app.stdout === null) throw new Error("the application has no output");
    const [line] = await once(createInterface(app.stdout), "line");
    url = String(line).replace("serves on ", "");
  });

  afterAll(async () => {
    const ended = once(app, "exit");
    app.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    await server[Symbol.asyncDispose]();
  });

  async function run(tenant: string, code: string) {
    const headers = { authorization: `Bearer ${tenant}-token` };
    const response = await fetch(`${url}/programs`, { method: "POST", headers, body: code });
    const body = (await response.json()) as { value?: unknown; error?: unknown };
    return { status: response.status, ...body };
  }

  it("gives each of many tenants at once its own rows", async () => {
    const code = `
import asyncio
every, some = await asyncio.gather(tools.list_orders(), tools.list_orders(status='shipped'))
[context.client_id, [order['item'] for order in every], len(some)]`;
    const asking = Array.from({ length: 60 }, (_, index) => tenants[index % 3] ?? "");
    const answers = await Promise.all(asking.map((tenant) => run(tenant, code)));
    const shipped: Readonly<Record<string, number>> = { acme: 1, globex: 1, initech: 0 };
    expect(answers.map(({ value }) => value)).toEqual(
      asking.map((tenant) => [tenant, items[tenant], shipped[tenant]]),
    );
  });

  it.each([
    ["hides it", "context = {'client_id': 'globex', 'user_id': 'gus'}"],
    ["replaces it for every module", "import builtins\nbuiltins.context = {'client_id': 'globex'}"],
    ["writes through the lock", "dict.__setitem__(context, 'client_id', 'globex')"],
    [
      "changes every copy that its process holds",
      `import gc
for each in gc.get_objects():
    if isinstance(each, dict) and dict.get(each, 'client_id') == 'acme':
        dict.__setitem__(each, 'client_id', 'globex')`,
    ],
    [
      "changes what its calls are made of",
      `import json
encode = json.JSONEncoder.encode
json.JSONEncoder.encode = lambda self, value: encode(self, value).replace('acme', 'globex')
dumps = json.dumps
json.dumps = lambda value, **options: dumps(
    {**value, 'context': {'client_id': 'globex'}, 'tenant': 'globex'} if 'seq' in value else value,
    **options)`,
    ],
  ])("gives its caller's rows to a program that %s", async (_title, tampering) => {
    const code = `${tampering}\n[order['item'] for order in tools.list_orders()]`;
    const [acme, globex] = await Promise.all([run("acme", code), run("globex", code)]);
    expect(acme).toMatchObject({ status: 200, value: items.acme });
    expect(globex).toMatchObject({ status: 200, value: items.globex });
  });

  it.each(["client_id='globex'", "tenant='globex'", "context={'client_id': 'globex'}"])(
    "takes no tenant as an argument: %s",
    async (argument) => {
      const answer = await run("acme", `tools.list_orders(${argument})`);
      expect(answer).toMatchObject({ status: 422, error: { type: "ToolError" } });
      // Past the guest's own check the argument means nothing.
      const forced = `tool = tools.list_orders\ntool._parameters = None\n[order['item'] for order in tool(${argument})]`;
      expect(await run("acme", forced)).toMatchObject({ status: 200, value: items.acme });
    },
  );

  it("reads text that looks like SQL as text", async () => {
    const code = `len(tools.list_orders(customer="' or tenant = 'globex' --"))`;
    expect(await run("acme", code)).toMatchObject({ status: 200, value: 0 });
  });

  it("writes to its caller's rows only", async () => {
    const cancel = (tenant: string, id: number) => run(tenant, `tools.cancel_order(id=${id})`);
    expect(await cancel("initech", 2)).toMatchObject({
      status: 422,
      error: { type: "ToolError", message: "there is no open order 2" },
    });
    expect(await cancel("initech", 1)).toMatchObject({ status: 200 });
    const open = "[order['id'] for order in tools.list_orders(status='open')]";
    expect(await run("initech", open)).toMatchObject({ value: [] });
    expect(await run("acme", open)).toMatchObject({ value: [1, 3] });
  });

  it("tells a model its tools, and nobody else anything", async () => {
    const headers = { authorization: "Bearer acme-token" };
    const { prompt } = (await (await fetch(`${url}/prompt`, { headers })).json()) as {
      prompt: string;
    };
    expect(prompt).toContain("def list_orders(");
    expect((await fetch(`${url}/prompt`)).status).toBe(401);
    expect(await run("nobody", "1")).toMatchObject({ status: 401 });
  });
});
