// Runs inside a wall, in whatever Node process is to be proven: nothing but Node's own modules.
import { spawnSync } from "node:child_process";
import { createSocket } from "node:dgram";
import {
  appendFileSync,
  fstatSync,
  readdirSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { env as environment } from "node:process";
import type { Aims } from "./targets.ts";

const connectMs = 2_000;
const lastDescriptor = 255;
/** After the standard streams and the channel. */
const firstOwnDescriptor = 4;

/** What came of each attempt: "done", or the error's code. */
export interface Attempted {
  readonly files: Readonly<Record<string, string>>;
  readonly kernel: Readonly<Record<string, string>>;
  /** What only namespaces refuse. */
  readonly namespaces: Readonly<Record<string, string>>;
}

/** Tries to get out of this process in every way that a wall must refuse. Call it before anything else. */
export async function attemptEscape(aims: Aims): Promise<Attempted> {
  const { canary, service } = aims;
  const outside = dirname(canary);
  const kept = answerOf(() => inheritedDescriptors());
  return {
    files: {
      "read a file of the host": answerOf(() => readFileSync(canary)),
      "list a directory of the host": answerOf(() => readdirSync(outside)),
      "write to a file of the host": answerOf(() => appendFileSync(canary, "touched")),
      "create a file": answerOf(() => writeFileSync(join(outside, "created"), "", { flag: "wx" })),
      "remove a file of the host": answerOf(() => unlinkSync(canary)),
      "read the environment of the service": answerOf(() =>
        readFileSync(`/proc/${service}/environ`),
      ),
      "read the memory map of the service": answerOf(() => readFileSync(`/proc/${service}/maps`)),
      "list the processes of the host": answerOf(() => readdirSync("/proc")),
    },
    kernel: {
      "keep a descriptor of the host": kept,
      "keep the environment of the service": answerOf(() => {
        if (Object.keys(environment).length === 0) throw refusal("ENOENT");
      }),
      "connect to a TCP port": await reach({ host: "127.0.0.1", port: aims.port }),
      "connect to a unix socket": await reach({ path: aims.unix }),
      "connect to an abstract unix socket": await reach({ path: `\0${aims.abstract}` }),
      "send a UDP datagram": await sendDatagram(aims.udpPort),
      "start a shell of the host": answerOf(() => {
        const { error } = spawnSync("/bin/sh", ["-c", "exit 0"]);
        if (error !== undefined) throw error;
      }),
      "signal the service": answerOf(() => process.kill(service, "SIGURG")),
    },
    namespaces: {
      "stat a file of the host": answerOf(() => statSync(canary)),
      "stat a process of the host": answerOf(() => statSync(`/proc/${service}`)),
    },
  };
}

/** Sockets, files and directories beyond those that the process was given; libuv may hold its root. */
function inheritedDescriptors(): void {
  const root = statSync("/");
  for (let descriptor = firstOwnDescriptor; descriptor <= lastDescriptor; descriptor += 1) {
    const answer = answerOf(() => {
      const stats = fstatSync(descriptor);
      const isRoot = stats.dev === root.dev && stats.ino === root.ino;
      const isKept = stats.isSocket() || stats.isFile() || stats.isDirectory();
      if (isRoot || !isKept) throw refusal("EBADF");
    });
    if (answer === "done") return;
  }
  throw refusal("EBADF");
}

function reach(address: { host: string; port: number } | { path: string }): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...address, timeout: connectMs });
    const end = (answer: string) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end("done"));
    socket.once("timeout", () => end("ETIMEDOUT"));
    socket.once("error", (error) => end(codeOf(error)));
  });
}

function sendDatagram(port: number): Promise<string> {
  return new Promise((resolve) => {
    try {
      const socket = createSocket("udp4");
      const end = (answer: string) => {
        socket.close();
        resolve(answer);
      };
      socket.once("error", (error) => end(codeOf(error)));
      socket.send("probe", port, "127.0.0.1", (error) => end(error ? codeOf(error) : "done"));
    } catch (error) {
      resolve(codeOf(error));
    }
  });
}

function answerOf(attempt: () => unknown): string {
  try {
    attempt();
    return "done";
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === "string" ? code : String(error);
}

function refusal(code: string): Error {
  return Object.assign(new Error(code), { code });
}
