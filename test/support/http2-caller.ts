import http2 from "node:http2";

/** What came back for one request. */
export interface Answer {
  readonly status: number;
  /** Undefined where none came, or the protocol has none. */
  readonly grpcStatus: number | undefined;
  readonly bytes: number;
}

/** A connection for many requests of any content, right or wrong. */
export interface Caller extends Disposable {
  /** Sends headers and a body, and waits for the end of the answer. Rejects where none comes. */
  call(headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<Answer>;
  /** Opens a call and sends no body; disposing resets it. */
  open(headers: Readonly<Record<string, string>>): Disposable;
}

/** Connects with Node's client, which is an honest one in every frame. */
export function connectCaller(url: string): Caller {
  // What it has still to send must leave it memory for the answers.
  const session = http2.connect(url, { maxSessionMemory: 1_000 });
  session.on("error", () => {});
  return {
    async call(headers, body) {
      const stream = session.request(headers);
      const answered = Promise.withResolvers<void>();
      let status = 0;
      let grpcStatus: number | undefined;
      let bytes = 0;
      let error: unknown;
      const onHeaders = (received: http2.IncomingHttpHeaders) => {
        if (received[":status"] !== undefined) status = Number(received[":status"]);
        if (received["grpc-status"] !== undefined) grpcStatus = Number(received["grpc-status"]);
      };
      stream.on("response", onHeaders).on("trailers", onHeaders);
      stream.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      stream.on("error", (reason) => {
        error = reason;
      });
      stream.on("end", () => stream.close());
      stream.on("close", () => answered.resolve());
      stream.end(body);
      await answered.promise;
      // A request that was refused half sent ends with a reset, after its answer.
      if (status === 0) throw error ?? new Error("no answer came");
      return { status, grpcStatus, bytes };
    },
    open(headers) {
      const stream = session.request(headers, { endStream: false });
      stream.on("error", () => {});
      return { [Symbol.dispose]: () => stream.close(http2.constants.NGHTTP2_CANCEL) };
    },
    [Symbol.dispose]: () => session.destroy(),
  };
}
