import http2 from "node:http2";
import { type Client, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { ExecutorService } from "../../gen/es/codemode/v1/executor_pb.ts";
import { Health } from "../../gen/es/health/v1/health_pb.ts";

/** gRPC clients of one connection, which disposal closes. */
export interface TestClient extends Disposable {
  readonly executor: Client<typeof ExecutorService>;
  readonly health: Client<typeof Health>;
}

/** Opens a plain gRPC client, with none of the SDK's retries. */
export function connectClient(url: string, apiKey?: string): TestClient {
  const sessionManager = new Http2SessionManager(url);
  const interceptors: Interceptor[] = [
    (next) => (req) => {
      if (apiKey !== undefined) req.header.set("authorization", `Bearer ${apiKey}`);
      return next(req);
    },
  ];
  const transport = createGrpcTransport({ baseUrl: url, sessionManager, interceptors });
  return {
    executor: createClient(ExecutorService, transport),
    health: createClient(Health, transport),
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

/** What came back for one raw request: every HEADERS frame, and whether it ended the stream. */
export interface RawAnswer {
  readonly frames: readonly {
    readonly headers: http2.IncomingHttpHeaders;
    readonly isEnd: boolean;
  }[];
  readonly bytes: number;
}

/** Sends a raw HTTP/2 request and collects the answer's frames. */
export async function rawRequest(
  url: string,
  headers: http2.OutgoingHttpHeaders,
  body?: Uint8Array,
): Promise<RawAnswer> {
  const session = http2.connect(url);
  try {
    const stream = session.request({ ":method": "POST", te: "trailers", ...headers });
    const frames: { headers: http2.IncomingHttpHeaders; isEnd: boolean }[] = [];
    const onFrame = (received: http2.IncomingHttpHeaders, flags: number) =>
      frames.push({
        headers: received,
        isEnd: (flags & http2.constants.NGHTTP2_FLAG_END_STREAM) !== 0,
      });
    stream.on("response", onFrame);
    stream.on("trailers", onFrame);
    let bytes = 0;
    stream.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
    });
    const closed = new Promise<void>((resolve, reject) => {
      stream.on("close", resolve);
      stream.on("error", reject);
      session.on("error", reject);
    });
    stream.end(body);
    await closed;
    return { frames, bytes };
  } finally {
    session.destroy();
  }
}

/** A message in a gRPC envelope. */
export function envelope(message: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(5 + message.length);
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, 5);
  return framed;
}

/** The error of a call that must fail. */
export function failure(call: Promise<unknown>): Promise<ConnectError> {
  return call.then(
    () => Promise.reject(new Error("the call went well")),
    (error) => ConnectError.from(error),
  );
}
