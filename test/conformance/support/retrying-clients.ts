import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { Execution } from "../../../gen/es/codemode/v1/execution_pb.ts";
import {
  ExecuteRequestSchema,
  ExecuteResponseSchema,
  ExecuteStreamRequestSchema,
  ExecuteStreamResponseSchema,
} from "../../../gen/es/codemode/v1/executor_pb.ts";
import { Codemode, CodemodeError, defineTool } from "../../../src/index.ts";
import { noGrpcio, startGrpcio } from "../../support/grpcio.ts";

/** One program to run. */
export interface RetriedCall {
  readonly url: string;
  readonly code: string;
  /** By which its starts are counted. */
  readonly run: string;
  readonly requestId?: string;
  readonly timeoutMs?: number;
  /** Whether the program calls the tool "wait"; the SDK's answers when this resolves, the others never. */
  readonly tool?: Promise<unknown>;
  /** Hears that the SDK's tool is called. */
  readonly onCall?: () => void;
}

/** A client that tries again what its policy allows, on every status that there is. */
export interface RetryingClient extends AsyncDisposable {
  /** "ok" where the program's success came back, otherwise the status or the error's kind. */
  run(call: RetriedCall): Promise<string>;
}

/** A client of the table. */
export interface ClientOfTable {
  readonly name: "the SDK" | "grpc-js" | "grpcio";
  /** Why it cannot be run here. */
  readonly missing: string | undefined;
  readonly start: () => RetryingClient;
}

const service = "codemode.v1.ExecutorService";
const retryableStatusCodes = Object.keys(status).filter(
  (name) => /^[A-Z_]+$/.test(name) && name !== "OK",
);
const serviceConfig = JSON.stringify({
  methodConfig: [
    {
      name: [{ service }],
      retryPolicy: {
        maxAttempts: 5,
        initialBackoff: "0.2s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes,
      },
    },
  ],
});

/** The clients of the table. */
export const retryingClients: readonly ClientOfTable[] = [
  { name: "the SDK", missing: undefined, start: startSdk },
  { name: "grpc-js", missing: undefined, start: startGrpcJs },
  { name: "grpcio", missing: noGrpcio, start: startPython },
];

function startSdk(): RetryingClient {
  const clients = new Map<string, Codemode>();
  return {
    async run({ url, code, run, tool, onCall, ...options }) {
      const retry = { maxAttempts: 5, baseMs: 200, maxMs: 1_000 };
      const codemode = clients.get(url) ?? Codemode.connect({ url, retry, retryBudget: false });
      clients.set(url, codemode);
      const tools = tool === undefined ? [] : [waiting(tool, onCall)];
      try {
        const request = { ...options, context: { run }, tools };
        const { status: how } = await codemode.execute(code, request);
        return how === "completed" ? "ok" : how;
      } catch (error) {
        if (CodemodeError.is(error)) return error.kind;
        throw error;
      }
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients.values()) await client[Symbol.asyncDispose]();
    },
  };
}

function waiting(until: Promise<unknown>, onCall?: () => void) {
  const execute = () => {
    onCall?.();
    return until;
  };
  return defineTool({ name: "wait", description: "waits", execute });
}

function startGrpcJs(): RetryingClient {
  const clients = new Map<string, Client>();
  return {
    async run(call) {
      const target = new URL(call.url).host;
      const client =
        clients.get(target) ??
        new Client(target, credentials.createInsecure(), {
          "grpc.service_config": serviceConfig,
          "grpc.initial_reconnect_backoff_ms": 100,
          "grpc.max_reconnect_backoff_ms": 200,
        });
      clients.set(target, client);
      const { path, isStream, request } = encode(call);
      const options = { deadline: Date.now() + (call.timeoutMs ?? 30_000) };
      // A retry then waits for the connection to come back, and uses up no attempt.
      const metadata = new Metadata({ waitForReady: true });
      const same = (bytes: Buffer) => bytes;
      const args = [path, same, same, Buffer.from(request), metadata, options] as const;
      try {
        const responses: Buffer[] = [];
        if (isStream) {
          const stream = client.makeServerStreamRequest<Buffer, Buffer>(...args);
          for await (const response of stream) responses.push(response);
        } else {
          responses.push(await unary(client, args));
        }
        return outcomeOf(call, responses);
      } catch (error) {
        return status[(error as ServiceError).code] ?? String(error);
      }
    },
    async [Symbol.asyncDispose]() {
      for (const client of clients.values()) client.close();
    },
  };
}

type UnaryArgs = readonly [
  string,
  (bytes: Buffer) => Buffer,
  (bytes: Buffer) => Buffer,
  Buffer,
  Metadata,
  { deadline: number },
];

function unary(client: Client, args: UnaryArgs): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest<Buffer, Buffer>(...args, (error, response) => {
      if (error !== null || response === undefined) reject(error);
      else resolve(response);
    });
  });
}

function startPython(): RetryingClient {
  const python = startGrpcio();
  return {
    async run(call) {
      const { path, isStream, request } = encode(call);
      const { code, responses } = await python.call({
        target: new URL(call.url).host,
        method: path,
        request,
        isStream,
        serviceConfig,
        timeoutMs: call.timeoutMs ?? 30_000,
      });
      return code === "OK" ? outcomeOf(call, responses) : code;
    },
    [Symbol.asyncDispose]: () => python[Symbol.asyncDispose](),
  };
}

/** With a tool a stream, whose reader sees the call; otherwise a unary call. */
function encode({ code, run, requestId = "", tool }: RetriedCall) {
  const isStream = tool !== undefined;
  const tools = isStream ? [{ name: "wait" }] : [];
  const request = { code, requestId, context: { run }, tools };
  const bytes = isStream
    ? toBinary(ExecuteStreamRequestSchema, create(ExecuteStreamRequestSchema, { request }))
    : toBinary(ExecuteRequestSchema, create(ExecuteRequestSchema, { request }));
  const path = `/${service}/${isStream ? "ExecuteStream" : "Execute"}`;
  return { path, isStream, request: bytes };
}

function outcomeOf({ tool }: RetriedCall, responses: readonly Uint8Array[]): string {
  const last = responses.at(-1) ?? new Uint8Array();
  if (tool === undefined) return caseOf(fromBinary(ExecuteResponseSchema, last).execution?.outcome);
  const { event } = fromBinary(ExecuteStreamResponseSchema, last);
  return event?.event.case === "finished" ? caseOf(event.event.value.outcome) : "no end";
}

function caseOf(outcome: Execution["outcome"]): string {
  return outcome?.result.case === "success" ? "ok" : String(outcome?.result.case);
}
