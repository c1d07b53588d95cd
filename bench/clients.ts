import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import type { ExecutorService } from "../gen/es/codemode/v1/executor_pb.ts";
import { Codemode } from "../src/index.ts";
import { createConnection } from "../src/sdk/transport.ts";
import { AsyncQueue } from "../src/shared/queue.ts";
import { EchoService } from "./echo.ts";
import type { Hello } from "./server-process.ts";

/** Ways to the measured server, each over one HTTP/2 connection. */
export interface Clients extends AsyncDisposable {
  readonly echo: Client<typeof EchoService>;
  /** The generated client, with the SDK's own transport settings and nothing above them. */
  readonly raw: Client<typeof ExecutorService>;
  readonly sdk: Codemode;
}

/** Connects all of them. */
export function connect({ url, echoUrl }: Hello): Clients {
  const { client: raw, close } = createConnection({
    url,
    protocol: "grpc",
    httpVersion: "2",
    tls: {},
  });
  const sdk = Codemode.connect({ url, timeoutMs: 180_000 });
  const session = new Http2SessionManager(echoUrl);
  const transport = createGrpcTransport({
    baseUrl: echoUrl,
    sessionManager: session,
    acceptCompression: [],
  });
  return {
    echo: createClient(EchoService, transport),
    raw,
    sdk,
    async [Symbol.asyncDispose]() {
      await sdk.close();
      close();
      session.abort();
    },
  };
}

/** One open bidi stream. */
export interface EchoStream extends AsyncDisposable {
  /** Sends a message and resolves when it is back. */
  turn(): Promise<void>;
}

/** Opens a bidi echo. */
export function openEchoStream(echo: Client<typeof EchoService>): EchoStream {
  const requests = new AsyncQueue<{ value: string }>({
    sizeOf: () => 1,
    highWater: Number.POSITIVE_INFINITY,
    onFull() {},
    onDrain() {},
  });
  // Connect wants an iterable that can be thrown into.
  const outgoing = (async function* () {
    yield* requests;
  })();
  const responses = echo.echoStream(outgoing)[Symbol.asyncIterator]();
  return {
    async turn() {
      requests.push({ value: "0123456789" });
      const { done } = await responses.next();
      if (done) throw new Error("the echo stream ended");
    },
    async [Symbol.asyncDispose]() {
      requests.end();
      await responses.next();
    },
  };
}
