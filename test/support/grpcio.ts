import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { missing } from "./toolchain.ts";

const run = promisify(execFile);
const version = "1.76.0";
const folder = path.join(os.tmpdir(), `codemode-grpcio-${version}-${os.userInfo().uid}`);
const python = path.join(folder, "bin/python");

/** Why there is no grpcio for Python; undefined where there is one, which is installed once. */
export const noGrpcio = await missing("python3 with grpcio from PyPI", install);

async function install(): Promise<void> {
  if (existsSync(folder)) return;
  const making = `${folder}.${process.pid}`;
  await run("python3", ["-m", "venv", making], { timeout: 60_000 });
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
  await run(path.join(making, "bin/python"), [...pip, `grpcio==${version}`], { timeout: 240_000 });
  // Another test may have been faster.
  await rename(making, folder).catch(() => rm(making, { recursive: true }));
}

/** One call, its request already encoded. */
export interface GrpcioCall {
  /** Such as "127.0.0.1:8001". */
  readonly target: string;
  /** Path of the method. */
  readonly method: string;
  readonly request: Uint8Array;
  readonly isStream: boolean;
  /** gRPC's service config, JSON text; that of a target's first call counts. */
  readonly serviceConfig: string;
  readonly timeoutMs: number;
}

/** What a call gave. */
export interface GrpcioAnswer {
  /** Such as "OK" or "UNAVAILABLE". */
  readonly code: string;
  readonly responses: readonly Uint8Array[];
}

/** A stock grpcio client in a Python process, with one channel for each target; disposal ends it. */
export interface GrpcioClient extends AsyncDisposable {
  call(call: GrpcioCall): Promise<GrpcioAnswer>;
}

/** Starts the client. */
export function startGrpcio(): GrpcioClient {
  const script = fileURLToPath(new URL("grpcio_client.py", import.meta.url));
  const child = spawn(python, [script], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const waiting = new Map<number, (answer: GrpcioAnswer) => void>();
  createInterface(child.stdout).on("line", (line) => {
    const { id, code, responses } = JSON.parse(line) as {
      id: number;
      code: string;
      responses: string[];
    };
    waiting.get(id)?.({ code, responses: responses.map((each) => Buffer.from(each, "base64")) });
  });
  let calls = 0;
  return {
    async call({ target, method, request, isStream, serviceConfig, timeoutMs }) {
      calls += 1;
      const id = calls;
      const answer = new Promise<GrpcioAnswer>((resolve) => waiting.set(id, resolve));
      const ask = {
        id,
        target,
        method,
        request: Buffer.from(request).toString("base64"),
        stream: isStream,
        config: serviceConfig,
        timeout: timeoutMs / 1_000,
      };
      child.stdin.write(`${JSON.stringify(ask)}\n`);
      return await answer;
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
