import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Codemode } from "../../src/index.ts";
import { noPyodide, testCache } from "../support/pyodide.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { noPython } from "../support/toolchain.ts";

const settings = {
  isolation: { require: "T0" },
  spare_guests: 1,
  cache_directory: testCache,
} as const;

/** What a server says of its engines for Python, and which one it takes. */
async function ask(server: TestServer) {
  await using codemode = Codemode.connect({ url: server.url });
  const { engines } = await codemode.serverInfo();
  const { engine } = await codemode.execute("2 + 2", { timeoutMs: 60_000 });
  const python = engines.filter(({ languages }) => languages.includes("python"));
  return { engine, listed: python.map(({ name, up }) => `${name} ${up ? "up" : "down"}`) };
}

describe.skipIf(noPython ?? noPyodide)(
  "of two engines that run Python",
  { timeout: 60_000 },
  () => {
    it.each([
      ["cpython", "pyodide"],
      ["pyodide", "cpython"],
    ])(
      "the one that the configuration names first is taken, and the outcome says so: %s before %s",
      async (...engines) => {
        await using server = await startServer({ settings: { ...settings, engines } });
        expect(await ask(server)).toEqual({
          engine: engines[0],
          listed: engines.map((name) => `${name} up`),
        });
      },
    );

    it("pyodide stands by where nothing is named, and says so", async () => {
      await using server = await startServer({ settings });
      expect(await ask(server)).toEqual({
        engine: "cpython",
        listed: ["cpython up", "pyodide down"],
      });
      const pyodide = server.info().engines.find(({ name }) => name === "pyodide");
      expect(pyodide?.reason).toBe("it stands by: another engine runs python");
    });
  },
);

describe("an engine that cannot be up", () => {
  const python = "/nowhere/python3";

  it("stops the start where it is named, and says why", async () => {
    const engines = ["quickjs", "cpython"];
    await expect(startServer({ settings: { ...settings, engines, python } })).rejects.toMatchObject(
      {
        kind: "unavailable",
        message: expect.stringMatching(/^engine cpython is not up: .*\/nowhere\/python3/),
      },
    );
  });
});

describe("a language", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ settings: { ...settings, engines: ["quickjs"] } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("that no engine of the configuration runs is refused before anything starts", async () => {
    await using codemode = Codemode.connect({ url: server.url });
    await expect(codemode.execute("1", { language: "python" })).rejects.toMatchObject({
      kind: "invalid_request",
      message: expect.stringContaining('is "python", known are javascript, typescript'),
    });
  });
});
