import { readFileSync } from "node:fs";
import { Duplex, PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { startEngineProcess } from "../../src/sandbox/quickjs/engine-process.ts";
import { messageTypes, toJsonMessage, toMessage } from "../../src/sandbox/quickjs/messages.ts";
import type { Wall } from "../../src/sandbox/wall/wall.ts";
import { Stop } from "../../src/shared/stop.ts";
import { allGone, descendants, hasProc } from "../support/processes.ts";
import { collect } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

const language = "javascript";
const commandLine = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8");

/** The engine's Node process, whatever has started it. */
function enginePid(): number {
  const found = descendants().filter(
    ({ pid, name }) =>
      !name.startsWith("python") && /quickjs\/engine\/main\.[jt]s/.test(commandLine(pid)),
  );
  const last = found.at(-1);
  if (last === undefined) throw new Error("there is no engine process");
  return last.pid;
}

async function startSpinning(executor: Executor, signal = new AbortController().signal) {
  const ready = Promise.withResolvers<void>();
  const ended = collect(executor, 'console.log("ready");\nwhile (true) {}', {
    language,
    signal,
    onEvent: (event) => event.type === "output" && ready.resolve(),
  });
  await ready.promise;
  return { ended };
}

describe.skipIf(!hasProc)("the engine process of quickjs", () => {
  it("has no environment, and nothing of the service's command line", async () => {
    await using _ = await startQuickjs({ secondWall: "off" });
    expect(readFileSync(`/proc/${enginePid()}/environ`, "utf8")).toBe("");
  });

  it("does not have V8 free compiled WebAssembly, at which it may abort with all runs", async () => {
    // Seen once in an hour of chaos; two minutes of threads that parse TypeScript and are stopped do it, too.
    await using _ = await startQuickjs();
    expect(commandLine(enginePid()).split("\0")).toContain("--no-wasm-code-gc");
  });

  it("ends its runs as lost when it is killed; another takes its place, proven again", async () => {
    const warnings: string[] = [];
    await using executor = await startQuickjs({ onWarning: (text) => warnings.push(text) });
    const { isolationTier } = executor.info();
    const runs = [await startSpinning(executor), await startSpinning(executor)];
    const pid = enginePid();
    process.kill(pid, "SIGKILL");
    for (const { ended } of runs) {
      expect((await ended).result).toMatchObject({
        error: {
          reason: "crashed",
          message: expect.stringMatching(
            /^the program was lost: its engine process ended with .*$/,
          ),
        },
      });
    }
    await allGone([pid]);
    const { result } = await collect(executor, "2 + 2", { language });
    expect(result).toMatchObject({ value: { json: "4" } });
    expect(executor.info()).toMatchObject({ up: true, isolationTier });
    expect(warnings.join()).toContain("starting another");
  });

  it("is replaced when it hangs, and its runs end", async () => {
    await using executor = await startQuickjs({ silentMs: 400, onWarning: () => {} });
    const controller = new AbortController();
    const { ended } = await startSpinning(executor, controller.signal);
    const { ended: other } = await startSpinning(executor);
    const pid = enginePid();
    process.kill(pid, "SIGSTOP");
    controller.abort(new Stop("cancelled", "enough"));
    expect((await ended).result).toMatchObject({ error: { reason: "cancelled" } });
    expect((await other).result).toMatchObject({ error: { reason: "crashed" } });
    await allGone([pid]);
    const { result } = await collect(executor, "2 + 2", { language });
    expect(result).toMatchObject({ value: { json: "4" } });
  });

  it("is replaced when it hangs while a program waits, although nobody kills anything", async () => {
    await using executor = await startQuickjs({ silentMs: 400, onWarning: () => {} });
    const asked = Promise.withResolvers<void>();
    const ended = collect(executor, "await tools.echo({});", {
      language,
      tools: [{ name: "echo" }],
      onCall: () => {
        asked.resolve();
        return new Promise(() => {});
      },
    });
    await asked.promise;
    process.kill(enginePid(), "SIGSTOP");
    expect((await ended).result).toMatchObject({
      error: { message: expect.stringContaining("was silent for 400 ms") },
    });
  });

  it("leaves nothing when its sandbox is disposed in the middle of runs", async () => {
    const executor = await startQuickjs();
    const { ended } = await startSpinning(executor);
    const pids = descendants().map(({ pid }) => pid);
    await executor[Symbol.asyncDispose]();
    expect((await ended).result.status).toBe("failed");
    await allGone(pids);
  });

  it("says why it is not up where its isolation is below what is required", async () => {
    await using executor = await startQuickjs({ requireTier: "T3", secondWall: "off" });
    expect(executor.info()).toMatchObject({
      up: false,
      reason: expect.stringContaining("the configuration says off"),
    });
    await expect(collect(executor, "1", { language })).rejects.toMatchObject({
      kind: "unavailable",
    });
  });
});

/** An engine process that says what it is told to; `onSent` sees what it is sent. */
function hostileWall(say: (channel: PassThrough) => void, onSent = (_message: Buffer) => {}) {
  const exit = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  const out = new PassThrough();
  const wall: Wall = {
    layers: [],
    missing: [],
    start() {
      const channel = Duplex.from({
        readable: out,
        writable: new PassThrough().on("data", onSent),
      });
      channel.on("error", () => {});
      const kill = () => exit.resolve({ code: null, signal: "SIGKILL" });
      const pipes = {
        stdin: new PassThrough(),
        stdout: new PassThrough(),
        stderr: new PassThrough(),
      };
      const child = { ...pipes, pid: 0 } as unknown as ReturnType<Wall["start"]>["child"];
      return { child, channel, exited: exit.promise, kill, [Symbol.dispose]: kill };
    },
  };
  out.write(toJsonMessage(messageTypes.ready, 0, { version: "v24", tookMs: 1 }));
  return { wall, say: () => say(out) };
}

/** A frame of output, as large as one may be. */
const outputFrame = Buffer.concat([Buffer.from([0, 0, 1, 0, 2]), Buffer.alloc(65_536, "x")]);

describe("an engine process that has been taken over", () => {
  it.each([
    ["a message of an unknown type", toMessage(99, 0), "broke the protocol"],
    [
      "a message that is too long",
      Buffer.from([255, 255, 255, 255, 67, 1, 0, 0, 0]),
      "broke the protocol",
    ],
    [
      "an end that is not JSON",
      toMessage(messageTypes.end, 1, Buffer.from("{")),
      "broke the protocol",
    ],
    [
      "an end that is the host's to give",
      toJsonMessage(messageTypes.end, 1, {
        cause: "fault",
        detail: "",
        cpuMs: 0,
        peakMemoryBytes: 0,
      }),
      "broke the protocol",
    ],
    [
      "negative CPU time",
      toJsonMessage(messageTypes.end, 1, {
        cause: "exited",
        detail: "",
        cpuMs: -1,
        peakMemoryBytes: 0,
      }),
      "broke the protocol",
    ],
    [
      "a thread to stand back that is none of its guests'",
      toJsonMessage(messageTypes.standBack, 0, { thread: "MainThread" }),
      "broke the protocol",
    ],
    [
      "more than a guest's credit",
      Buffer.concat(Array.from({ length: 10 }, () => toMessage(messageTypes.data, 1, outputFrame))),
      "credit",
    ],
  ])("is killed when it sends %s", async (_title, bytes, why) => {
    const { wall, say } = hostileWall((channel) => channel.write(bytes));
    await using engine = await startEngineProcess({
      wall,
      boot: {
        files: { quickjs: new Uint8Array(), extensions: [], prelude: [] },
        maxThreads: 1,
        warmThreads: 1,
        memoryBytes: 2 ** 30,
      },
      signal: new AbortController().signal,
      silentMs: 10_000,
      onStderr: () => {},
    });
    const guest = await engine.lease(new AbortController().signal, "tenant");
    say();
    expect(await guest.exited).toMatchObject({
      cause: "lost",
      detail: expect.stringContaining(why),
    });
    expect(await engine.closed).toContain(why);
  });

  it("cannot make a guest's frame pass that breaks the guest's protocol", async () => {
    const { wall, say } = hostileWall((channel) => {
      channel.write(toMessage(messageTypes.data, 1, Buffer.from([0, 0, 0, 0, 99])));
    });
    await using engine = await startEngineProcess({
      wall,
      boot: {
        files: { quickjs: new Uint8Array(), extensions: [], prelude: [] },
        maxThreads: 1,
        warmThreads: 1,
        memoryBytes: 2 ** 30,
      },
      signal: new AbortController().signal,
      silentMs: 300,
      onStderr: () => {},
    });
    const guest = await engine.lease(new AbortController().signal, "tenant");
    say();
    // It is asked to kill the guest, says nothing, and is ended for that.
    expect(await guest.exited).toMatchObject({
      cause: "fault",
      detail: "frame of unknown type 99",
    });
  });
});

describe("a service that stands still for a while", () => {
  it("does not hold the time against its engine process", async () => {
    const silentMs = 100;
    const isOver = Promise.withResolvers<void>();
    const never = new Int32Array(new SharedArrayBuffer(4));
    const { wall, say } = hostileWall(
      (channel) => channel.write(toMessage(messageTypes.pong, 0)),
      (message) => {
        if (message[4] !== messageTypes.ping) return;
        setImmediate(() => {
          Atomics.wait(never, 0, 0, 2 * silentMs);
          // Where an answer that has come in the meantime is read: after the timers.
          setImmediate(() => {
            say();
            isOver.resolve();
          });
        });
      },
    );
    await using engine = await startEngineProcess({
      wall,
      boot: {
        files: { quickjs: new Uint8Array(), extensions: [], prelude: [] },
        maxThreads: 1,
        warmThreads: 1,
        memoryBytes: 2 ** 30,
      },
      signal: new AbortController().signal,
      silentMs,
      onStderr: () => {},
    });
    await engine.lease(new AbortController().signal, "tenant");
    await isOver.promise;
    expect(engine.hasEnded).toBe(false);
  });
});
