import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, it, vi } from "vitest";
import { type RunOptions, runProgram } from "../../src/cli/run.ts";
import { connectClient } from "../support/client.ts";
import { createScriptedExecutor, forever } from "../support/scripted-executor.ts";
import { startServer } from "../support/server.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

function codemode(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcess {
  return spawn(process.execPath, [main, ...args], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env.PATH, ...env },
  });
}

async function finish(child: ChildProcess, input = "") {
  child.stdin?.end(input);
  const [stdout, stderr] = await Promise.all([
    text(child.stdout ?? Readable.from([])),
    text(child.stderr ?? Readable.from([])),
  ]);
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return { stdout, stderr, exitCode: child.exitCode };
}

function terminal(code: string) {
  const controller = new AbortController();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const { signal } = controller;
  return {
    controller,
    stdout,
    io: { stdin: Readable.from([code]), stdout, stderr, signal },
    async run(options: RunOptions) {
      const exitCode = await runProgram("-", options, this.io);
      stdout.end();
      stderr.end();
      return { exitCode, stdout: await text(stdout), stderr: await text(stderr) };
    },
  };
}

describe("codemode run", () => {
  it.each([
    ["prints the value after the output", "value", { exitCode: 0, stdout: "hi\n42\n", stderr: "" }],
    [
      "starts the value on a line of its own",
      "inline",
      { exitCode: 0, stdout: "hi\n42\n", stderr: "" },
    ],
    ["prints no value where there is none", "none", { exitCode: 0, stdout: "hi\n", stderr: "" }],
    ["keeps the channels apart", "both", { exitCode: 0, stdout: "out\n", stderr: "err\n" }],
    ["tells a failure on stderr", "bad", { exitCode: 1, stdout: "", stderr: "Error: no\n" }],
  ])("%s", async (_title, code, expected) => {
    const scripted = createScriptedExecutor({
      value: async ({ print }) => {
        await print("hi\n");
        return 42;
      },
      inline: async ({ print }) => {
        await print("hi");
        return 42;
      },
      none: async ({ print }) => {
        await print("hi\n");
        return null;
      },
      both: async ({ print }) => {
        await print("out\n");
        await print("err\n", "stderr");
        return null;
      },
      bad: () => {
        throw new Error("no");
      },
    });
    await using server = await startServer({ executors: [scripted] });
    expect(await terminal(code).run({ url: server.url })).toEqual(expected);
  });

  it("streams output as it arrives, and cancels the program when the user interrupts", async () => {
    const scripted = createScriptedExecutor({
      slow: async (guest) => {
        await guest.print("first");
        return forever(guest);
      },
    });
    await using server = await startServer({ executors: [scripted] });
    const { controller, io } = terminal("slow");
    const exitCode = runProgram("-", { url: server.url }, io);
    const [chunk] = await once(io.stdout, "data");
    expect(String(chunk)).toBe("first");
    controller.abort();
    expect(await exitCode).toBe(1);
    await vi.waitFor(() => expect(scripted.alive).toBe(0));
  });

  it("hands over context, limits, key and language", async () => {
    const scripted = createScriptedExecutor({ who: () => 1 });
    const settings = { api_keys: [{ key: "secret", tenant: "acme" }] };
    await using server = await startServer({ executors: [scripted], settings });
    const started = scripted.untilStarted("who");
    await terminal("who").run({
      url: server.url,
      apiKey: "secret",
      language: "python",
      context: { client_id: "acme" },
      timeout: 1_500,
    });
    expect(await started).toMatchObject({
      language: "python",
      context: { client_id: "acme" },
      limits: { wallMs: 1_500 },
    });
  });

  it.each([
    ["a file that is not there", ["run", "nowhere.py"], "codemode: nowhere.py: no such file\n"],
    ["a malformed variable", ["run", "--context", "x", "-"], /^error: .*expected key=value\.\n$/],
    ["a malformed time", ["run", "--timeout", "soon", "-"], /^error: .*expected seconds.*\n$/],
    ["an unknown option", ["run", "--fast", "-"], /^error: unknown option '--fast'\n$/],
    ["a bad address", ["run", "--url", "nowhere", "-"], /^codemode: url: .*\n$/],
    [
      "a config file that is not there",
      ["serve", "--config", "no.yaml"],
      /^codemode: configuration file no.yaml: ENOENT.*\n$/,
    ],
  ])("says in one line that it was given %s", async (_title, args, stderr) => {
    const { exitCode, ...output } = await finish(codemode(args));
    expect(exitCode).toBe(1);
    expect(output.stdout).toBe("");
    if (typeof stderr === "string") expect(output.stderr).toBe(stderr);
    else expect(output.stderr).toMatch(stderr);
  });

  it("says in one line that a setting of the environment is wrong", async () => {
    const child = codemode(["serve"], { CODEMODE_PORT: "high", CODEMODE_PROT: "1" });
    const { exitCode, stderr } = await finish(child);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(
      /^codemode: configuration: CODEMODE_PROT: no such setting, did you mean CODEMODE_PORT\?; port: .*\n$/,
    );
  });
});

it("runs a program, and tells what it is, on a service of its own", async () => {
  // T0, so that it works on hosts that cannot lock a guest; where they can, they do.
  const env = { CODEMODE_ISOLATION_REQUIRE: "T0" };
  const program = finish(codemode(["run", "--context", "who=you", "-"], env), "context['who'] * 2");
  expect(await program).toEqual({ exitCode: 0, stdout: "youyou\n", stderr: "" });
  const failing = finish(codemode(["run", "-"], env), "1 / 0");
  expect(await failing).toMatchObject({
    exitCode: 1,
    stdout: "",
    stderr: expect.stringContaining("ZeroDivisionError: division by zero"),
  });
  const { stdout } = await finish(codemode(["info"], env));
  expect(stdout).toContain("cpython 3.");
});

describe("codemode serve", () => {
  it("says in one line where it serves and what, and ends by a signal with code 0", async () => {
    await using served = await serveFixture();
    expect(served.line).toMatchObject({
      level: 30,
      url: served.url,
      engines: [{ name: "scripted", version: "1.0", isolationTier: "T2" }],
      msg: `codemode serves on ${served.url}: scripted 1.0 (T2)`,
    });
    served.child.kill("SIGTERM");
    expect(await served.exitCode).toBe(0);
  });

  it("drains when its terminal hangs up, however often that is said", async () => {
    await using served = await serveFixture();
    using client = connectClient(served.url);
    const answer = client.executor.execute({ request: { code: "until drained" } });
    await served.untilLogged("draining", () => served.child.kill("SIGHUP"));
    served.child.kill("SIGHUP");
    expect((await answer).execution?.outcome?.result.case).toBe("success");
    expect(await served.exitCode).toBe(0);
  });

  it.each([
    ["--port", "70000", "expected a port, 0 to 65535"],
    ["--port", "http", "expected a port, 0 to 65535"],
    ["--host", "0.0.0.0", "only a loopback address may be served, not 0.0.0.0"],
  ])("says in one line what is wrong with %s %s", async (option, value, words) => {
    const { stderr, exitCode } = await finish(codemode(["serve", option, value]));
    expect(exitCode).toBe(1);
    expect(stderr).toContain(words);
  });

  it("listens where its options say, and drains when npm, which started it, is told to end", async () => {
    const folder = fileURLToPath(new URL("../..", import.meta.url));
    const npm = spawn("npm", ["start", "--", "--port", "0", "--host", "::1"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, CODEMODE_ENGINES: "quickjs", CODEMODE_PORT: "1", HOME: undefined },
    });
    const ended = once(npm, "exit");
    const messages: string[] = [];
    for await (const line of createInterface(npm.stdout)) {
      if (!line.startsWith("{")) continue;
      const { msg } = JSON.parse(line);
      messages.push(msg);
      if (msg.startsWith("codemode serves on http://[::1]:")) npm.kill("SIGTERM");
    }
    await ended;
    expect(messages.at(-1)).toBe("draining");
  });

  it("lets a program that runs end before it ends by a signal", async () => {
    await using served = await serveFixture();
    using client = connectClient(served.url);
    const answer = client.executor.execute({ request: { code: "until drained" } });
    await served.untilLogged("draining", () => served.child.kill("SIGINT"));
    expect((await answer).execution?.outcome?.result.case).toBe("success");
    expect(await served.exitCode).toBe(0);
  });

  it("ends at once by a second signal", async () => {
    await using served = await serveFixture();
    using client = connectClient(served.url);
    const answer = client.executor.execute({ request: { code: "forever" } }).catch(() => "lost");
    await served.untilLogged("draining", () => served.child.kill("SIGTERM"));
    served.child.kill("SIGTERM");
    expect(await served.exitCode).toBe(1);
    expect(await answer).toBe("lost");
  });
});

async function serveFixture() {
  const fixture = fileURLToPath(new URL("fixtures/serve.ts", import.meta.url));
  const child = spawn(process.execPath, [fixture], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: { level: number; msg: string; url: string }[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(JSON.parse(line)));
  const exitCode = once(child, "exit").then(([code]) => code as number | null);
  const logged = (text: string) =>
    vi.waitFor(
      () => {
        const line = lines.find(({ msg }) => msg.includes(text));
        if (line === undefined) throw new Error(`no line says "${text}"`);
        return line;
      },
      { timeout: 10_000 },
    );
  const line = await logged("codemode serves on");
  return {
    child,
    exitCode,
    line,
    url: line.url,
    /** Acts once the fixture's program has started, and waits for what the log then says. */
    async untilLogged(text: string, act: () => void) {
      await logged("a program started");
      act();
      await logged(text);
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await exitCode;
    },
  };
}
