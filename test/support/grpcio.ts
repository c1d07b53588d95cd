import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { pythonWith } from "./python-packages.ts";

const version = "1.76.0";
const { missing: none, python } = await pythonWith("grpcio", [`grpcio==${version}`]);

/** Why there is no grpcio for Python; undefined where there is one, which is installed once. */
export const noGrpcio = none;

/** A stock gRPC server of grpcio that answers every call alike; disposal ends it. */
export async function startGrpcioServer(
  answer: Uint8Array,
  seconds: number,
): Promise<AsyncDisposable & { readonly url: string }> {
  const script = fileURLToPath(new URL("grpcio_server.py", import.meta.url));
  const args = [script, Buffer.from(answer).toString("base64"), String(seconds)];
  const child = spawn(python, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const [port] = await once(createInterface(child.stdout), "line");
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
  };
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
