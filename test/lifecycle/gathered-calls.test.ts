import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Codemode, defineTool, unwrap } from "../../src/index.ts";
import type { Settings } from "../../src/server/settings.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { noPython } from "../support/toolchain.ts";

const count = 150;
const programs = {
  python: `import asyncio\nawait asyncio.gather(*[tools.echo(n=n) for n in range(${count})])`,
  javascript: `return await Promise.all(Array.from({ length: ${count} }, (_, n) => tools.echo({ n })));`,
};

describe.each([
  ["cpython", "python", noPython],
  ["quickjs", "javascript", undefined],
] as const)("150 calls that a program of %s gathers", (engine, language, missing) => {
  let server: TestServer;
  beforeAll(async () => {
    if (missing !== undefined) return;
    const settings = { engines: [engine], isolation: { require: "T0" } } satisfies Settings;
    server = await startServer({ settings });
  });
  afterAll(() => server?.[Symbol.asyncDispose]());

  it.skipIf(missing).each([
    ["100 at once where nothing is said", {}, 100],
    ["10 at once where the request says so", { openToolCalls: 10 }, 10],
  ])("are 150 answers, %s", async (_title, limits, atOnce) => {
    const full = Promise.withResolvers<void>();
    let open = 0;
    let most = 0;
    await using codemode = Codemode.connect({ url: server.url });
    codemode.registry.register(
      defineTool({
        name: "echo",
        description: "Gives back what it gets, once as many calls are open as may be",
        execute: async ({ n }) => {
          open += 1;
          most = Math.max(most, open);
          if (open === atOnce) full.resolve();
          await full.promise;
          open -= 1;
          return n;
        },
      }),
    );
    const answers = unwrap(await codemode.execute(programs[language], { language, limits }));
    expect(answers).toEqual(Array.from({ length: count }, (_, n) => n));
    expect(most).toBe(atOnce);
  });
});
