import { once } from "node:events";
import http2 from "node:http2";
import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import type { ExecutionEvent as EventMessage } from "../../gen/es/codemode/v1/execution_pb.ts";
import {
  AttachExecutionRequestSchema,
  AttachExecutionResponseSchema,
  ExecuteStreamRequestSchema,
  ExecuteStreamResponseSchema,
} from "../../gen/es/codemode/v1/executor_pb.ts";
import type { ExecutionEvent } from "../../src/shared/model.ts";
import { fromAttachedMessage } from "../../src/shared/wire/attached.ts";
import { fromEventMessage } from "../../src/shared/wire/event.ts";
import { envelope } from "../support/client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import type { Peer, Reading } from "./peer.ts";

// So little is sent before the reader has taken what came: it slows the service down at once.
const windowBytes = 4 * 1024;

/** A client that reads gRPC's frames by hand, on a window so small that every pause of its is felt. */
export async function connectRaw(url: string, apiKey: string): Promise<Peer> {
  const proxy = await startCuttingProxy(url);
  let session: http2.ClientHttp2Session | undefined;
  let cutAt = 0;

  function open(): http2.ClientHttp2Session {
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    session = http2.connect(proxy.url, { settings: { initialWindowSize: windowBytes } });
    session.on("error", () => {}); // every stream has it too
    return session;
  }
  function call(method: string, body: Uint8Array, timeoutMs: number): http2.ClientHttp2Stream {
    const stream = open().request({
      ":method": "POST",
      ":path": `/codemode.v1.ExecutorService/${method}`,
      "content-type": "application/grpc",
      "grpc-timeout": `${timeoutMs}m`,
      te: "trailers",
      authorization: `Bearer ${apiKey}`,
    });
    stream.end(envelope(body));
    return stream;
  }
  function refuse(): never {
    throw new Error("a reader of frames answers no tools");
  }

  return {
    get cutAt() {
      return cutAt;
    },
    execute: async () => refuse(),
    start(request, { timeoutMs = 120_000 }) {
      const body = encode(ExecuteStreamRequestSchema, { request });
      const stream = call("ExecuteStream", body, timeoutMs);
      return toReading(stream, messagesOf(ExecuteStreamResponseSchema, stream));
    },
    async attach(executionId, { afterSequence }) {
      const body = encode(AttachExecutionRequestSchema, {
        executionId,
        afterSequence: BigInt(afterSequence),
      });
      const stream = call("AttachExecution", body, 120_000);
      const messages = messagesOf(AttachExecutionResponseSchema, stream);
      const first = await messages.next();
      if (first.done === true || first.value.attached === undefined) {
        throw new Error("the first message is not `attached`");
      }
      return {
        ...toReading(stream, messages),
        attached: fromAttachedMessage(first.value.attached),
      };
    },
    cut() {
      cutAt = Date.now();
      proxy.cut();
      // Node sees it a moment later, and what was asked in between would never leave.
      session?.destroy();
    },
    stall: () => proxy.stall(),
    async knock() {
      const stream = call("GetServerInfo", new Uint8Array(), 30_000);
      stream.resume();
      await once(stream, "close");
    },
    async [Symbol.asyncDispose]() {
      session?.destroy();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

function encode<D extends DescMessage>(schema: D, message: MessageInitShape<D>): Uint8Array {
  return toBinary(schema, create(schema, message));
}

function toReading(
  stream: http2.ClientHttp2Stream,
  messages: AsyncIterable<{ readonly event?: EventMessage | undefined }>,
): Reading {
  return {
    events: eventsOf(messages),
    attached: undefined,
    async answer() {},
    drop: () => stream.close(http2.constants.NGHTTP2_CANCEL),
  };
}

async function* eventsOf(
  messages: AsyncIterable<{ readonly event?: EventMessage | undefined }>,
): AsyncGenerator<ExecutionEvent, void, undefined> {
  for await (const { event } of messages) {
    const body = event && fromEventMessage(event);
    if (body === undefined) throw new Error("an event without a body");
    yield body;
  }
}

/** The messages of a gRPC answer. Throws its status, or that there was none. */
async function* messagesOf<D extends DescMessage>(
  schema: D,
  stream: http2.ClientHttp2Stream,
): AsyncGenerator<MessageShape<D>, void, undefined> {
  let status: http2.IncomingHttpHeaders | undefined;
  stream.on("trailers", (trailers) => {
    status = trailers;
  });
  stream.on("response", (headers) => {
    if (headers["grpc-status"] !== undefined) status = headers;
  });
  const closed = once(stream, "close").catch(() => {});
  let waiting = Buffer.alloc(0);
  try {
    for await (const chunk of stream) {
      waiting = Buffer.concat([waiting, chunk as Buffer]);
      while (waiting.length >= 5 && waiting.length >= 5 + waiting.readUInt32BE(1)) {
        const end = 5 + waiting.readUInt32BE(1);
        yield fromBinary(schema, waiting.subarray(5, end));
        waiting = waiting.subarray(end);
      }
    }
    await closed;
  } catch (error) {
    throw status === undefined ? ConnectError.from(error, 14) : toError(status);
  }
  if (status === undefined) throw new ConnectError("the stream ended without a status", 14);
  if (status["grpc-status"] !== "0") throw toError(status);
}

function toError(status: http2.IncomingHttpHeaders): ConnectError {
  const fields = Object.entries(status).filter(([name]) => !name.startsWith(":"));
  const trailers = new Headers(fields.map(([name, value]) => [name, String(value)]));
  return findTrailerError(trailers) ?? new ConnectError("a status that is none", 14);
}
