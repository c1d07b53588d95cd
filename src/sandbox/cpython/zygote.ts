import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { onAbort } from "../../shared/abort.ts";
import { withPipes } from "../piped.ts";

const script = fileURLToPath(new URL("./guest/zygote.py", import.meta.url));

/** Layers of the lock, in the words of guest/zygote.py. */
export type Layer = "landlock" | "seccomp";

/** What a guest is forked for. */
export interface Litter {
  /** Its guests show it to the host, and nothing else has it. */
  readonly token: string;
  /** Without the lock's layers: to try what holds without them. Never for a program of anybody's. */
  readonly bare: boolean;
  /** By how much its guests stand behind others. */
  readonly nice: number;
}

/** What the zygote holds a running guest to. */
export interface GuestLimits {
  readonly cpuSeconds: number;
  readonly threads: number;
}

/** With how many others a guest shares what its group may compute before it takes turns. */
export interface Share {
  readonly group: string;
  /** Guests of the group that have been given out, this one among them; at least 1. */
  readonly size: number;
}

/** How a guest's process ended, as the zygote reaped it. */
export interface ExitReport {
  /** Of its litter. */
  readonly token: string;
  readonly code: number | null;
  readonly signal: number | null;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number;
  readonly overCpu: boolean;
}

/** What a zygote says when it has started, before it is told what to do. */
export interface ZygoteHello {
  readonly version: string;
  /** Layers that the kernel does not give, each with its error. */
  readonly missing: { readonly [L in Layer]?: string | undefined };
}

/** What a zygote is told once. */
export interface ZygoteStart {
  readonly socket: string;
  readonly layers: readonly Layer[];
  readonly sitePackages: readonly string[];
  /** That guests have together: the machine may have more than the service may use. */
  readonly cores: number;
}

/** Options of `spawnZygote`. */
export interface ZygoteOptions {
  readonly python: string;
  /** What the interpreter prints on its standard error; nothing of a guest's. */
  readonly onStderr: (line: string) => void;
  readonly onExit: (pid: number, report: ExitReport) => void;
  readonly onForkFailed: (token: string, message: string) => void;
  /** Ends it when it aborts before it has said hello. */
  readonly signal: AbortSignal;
}

/** A running zygote. Its death takes all its guests with it. */
export interface Zygote extends AsyncDisposable {
  readonly pid: number;
  readonly hello: ZygoteHello;
  /** Resolves when it is gone. */
  readonly closed: Promise<void>;
  /** Hands it its instructions; resolves when it is ready to fork. */
  start(instructions: ZygoteStart): Promise<void>;
  /**
   * Moves it into namespaces and a root of its own, once; guests that it forks from then on live there.
   * Resolves with the machine's reason where that is refused, and it stays where it is.
   */
  enterNamespaces(): Promise<string | undefined>;
  fork(count: number, litter: Litter): void;
  watch(pid: number, limits: GuestLimits, share: Share): void;
  kill(pid: number): void;
  /** Ends it and all its guests unless it answers in time. A guest may take long to die; it may not. */
  destroyIfSilent(ms: number): void;
  /** Ends it and all its guests at once. */
  destroy(): void;
}

const layerErrors = z.object({ landlock: z.string(), seccomp: z.string() }).partial();
const messageSchema = z.union([
  z.object({ version: z.string(), missing: layerErrors }),
  z.object({ ready: z.literal(true) }),
  z.object({ pong: z.literal(true) }),
  z.object({ entered: z.boolean(), refused: z.string() }),
  z.object({ forkFailed: z.string(), token: z.string() }),
  z.object({
    exit: z.int(),
    token: z.string(),
    code: z.int().nullable(),
    signal: z.int().nullable(),
    cpuMs: z.number(),
    peakMemoryBytes: z.number(),
    overCpu: z.boolean(),
  }),
]);

/** Starts a zygote with an empty environment and only its three standard descriptors. */
export async function spawnZygote(options: ZygoteOptions): Promise<Zygote> {
  const child = withPipes(
    spawn(options.python, ["-I", "-S", "-B", "-X", "utf8", script], {
      env: {},
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
    }),
  );
  const hello = Promise.withResolvers<ZygoteHello>();
  const ready = Promise.withResolvers<void>();
  const entered = Promise.withResolvers<string | undefined>();
  const closed = whenClosed(child, (error) => {
    for (const one of [hello, ready, entered]) one.reject(error);
  });
  // Told by `hello` where nobody has asked for these yet.
  for (const { promise } of [ready, entered]) promise.catch(() => {});
  child.stdin.on("error", () => {}); // the same fact as `closed`
  createInterface({ input: child.stderr }).on("line", options.onStderr);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const message = messageSchema.parse(JSON.parse(line));
    if ("exit" in message) options.onExit(message.exit, message);
    else if ("forkFailed" in message) options.onForkFailed(message.token, message.forkFailed);
    else if ("version" in message) hello.resolve(message);
    else if ("entered" in message) entered.resolve(message.entered ? undefined : message.refused);
    else if ("pong" in message) pongs.splice(0).forEach(clearTimeout);
    else ready.resolve();
  });
  const pongs: NodeJS.Timeout[] = [];
  const send = (command: object) => {
    if (child.stdin.writable) child.stdin.write(`${JSON.stringify(command)}\n`);
  };
  const said = await untilSaid(hello.promise, child, options.signal);
  return {
    hello: said,
    pid: child.pid ?? 0,
    closed,
    start(instructions) {
      send(instructions);
      return ready.promise;
    },
    enterNamespaces() {
      send({ enter: true });
      return entered.promise;
    },
    fork: (count, litter) => send({ fork: count, ...litter }),
    watch: (pid, limits, { group, size }) =>
      send({ watch: pid, ...limits, group, groupSize: size }),
    kill: (pid) => send({ kill: pid }),
    destroyIfSilent(ms) {
      pongs.push(setTimeout(() => child.kill("SIGKILL"), ms).unref());
      send({ ping: true });
    },
    destroy: () => child.kill("SIGKILL"),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill("SIGKILL"), 2_000);
      await closed;
      clearTimeout(timer);
    },
  };
}

async function untilSaid(
  hello: Promise<ZygoteHello>,
  child: ChildProcess,
  signal: AbortSignal,
): Promise<ZygoteHello> {
  using _ = onAbort(signal, () => child.kill("SIGKILL"));
  return await hello;
}

function whenClosed(child: ChildProcess, onEnd: (error: Error) => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (detail: string, cause?: unknown) => {
      onEnd(new Error(`the Python zygote ${detail}`, { cause }));
      resolve();
    };
    child.once("error", (error) => end("could not be started", error));
    child.once("close", (code, signal) => end(`ended with ${signal ?? `status ${code}`}`));
  });
}
