import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, Metadata, type ServiceError, type StatusObject } from "@grpc/grpc-js";
import {
  type ExecuteRequest,
  ExecuteRequestSchema,
  type ExecuteResponse,
  ExecuteResponseSchema,
  type ExecuteStreamRequest,
  ExecuteStreamRequestSchema,
  type ExecuteStreamResponse,
  ExecuteStreamResponseSchema,
} from "../../gen/es/codemode/v1/executor_pb.ts";

const service = "codemode.v1.ExecutorService";

/** What one unary call of grpc-js gave. */
export interface GrpcJsAnswer {
  readonly response: ExecuteResponse | undefined;
  readonly error: ServiceError | undefined;
  /** The status with its trailers. */
  readonly status: StatusObject;
}

/** What a call may have beside its code. */
export interface GrpcJsCall {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly context?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** A stock grpc-js client of the service. */
export interface GrpcJsClient extends Disposable {
  execute(code: string, options?: GrpcJsCall): Promise<GrpcJsAnswer>;
  executeStream(code: string): AsyncIterable<ExecuteStreamResponse>;
}

/** Where a client connects: one server, or several between which it takes turns. */
export interface GrpcJsTarget {
  readonly port: number | readonly number[];
}

/** Connects with a retry policy for these statuses: five attempts, from 50 ms apart. */
export function connectGrpcJs(
  { port }: GrpcJsTarget,
  retryableStatusCodes: readonly string[],
): GrpcJsClient {
  const target =
    typeof port === "number"
      ? `127.0.0.1:${port}`
      : `ipv4:${port.map((each) => `127.0.0.1:${each}`).join(",")}`;
  const retryPolicy = {
    maxAttempts: 5,
    initialBackoff: "0.05s",
    maxBackoff: "1s",
    backoffMultiplier: 2,
    retryableStatusCodes,
  };
  const client = new Client(target, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({
      ...(typeof port === "number" ? {} : { loadBalancingConfig: [{ round_robin: {} }] }),
      methodConfig: [{ name: [{ service }], retryPolicy }],
    }),
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 200,
  });
  return {
    execute(code, { metadata = {}, context = {}, timeoutMs = 60_000 } = {}) {
      const answer = Promise.withResolvers<GrpcJsAnswer>();
      let error: ServiceError | undefined;
      let response: ExecuteResponse | undefined;
      // A retry then waits for the connection to come back, and uses up no attempt.
      const headers = new Metadata({ waitForReady: true });
      for (const [name, value] of Object.entries(metadata)) headers.set(name, value);
      client
        .makeUnaryRequest<ExecuteRequest, ExecuteResponse>(
          `/${service}/Execute`,
          (message) => Buffer.from(toBinary(ExecuteRequestSchema, message)),
          (bytes) => fromBinary(ExecuteResponseSchema, bytes),
          create(ExecuteRequestSchema, { request: { code, context: { ...context } } }),
          headers,
          { deadline: Date.now() + timeoutMs },
          (failure, message) => {
            error = failure ?? undefined;
            response = message;
          },
        )
        // Comes after the callback.
        .on("status", (status) => setImmediate(() => answer.resolve({ response, error, status })));
      return answer.promise;
    },
    executeStream: (code) =>
      client.makeServerStreamRequest<ExecuteStreamRequest, ExecuteStreamResponse>(
        `/${service}/ExecuteStream`,
        (message) => Buffer.from(toBinary(ExecuteStreamRequestSchema, message)),
        (bytes) => fromBinary(ExecuteStreamResponseSchema, bytes),
        create(ExecuteStreamRequestSchema, { request: { code } }),
      ),
    [Symbol.dispose]: () => client.close(),
  };
}
