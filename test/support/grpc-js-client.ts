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

/** A stock grpc-js client of the service. */
export interface GrpcJsClient extends Disposable {
  execute(code: string, metadata?: Readonly<Record<string, string>>): Promise<GrpcJsAnswer>;
  executeStream(code: string): AsyncIterable<ExecuteStreamResponse>;
}

/** Connects with a retry policy for these statuses: five attempts, from 50 ms apart. */
export function connectGrpcJs(
  { port }: { readonly port: number },
  retryableStatusCodes: readonly string[],
): GrpcJsClient {
  const retryPolicy = {
    maxAttempts: 5,
    initialBackoff: "0.05s",
    maxBackoff: "1s",
    backoffMultiplier: 2,
    retryableStatusCodes,
  };
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify({
      methodConfig: [{ name: [{ service }], retryPolicy }],
    }),
    "grpc.initial_reconnect_backoff_ms": 50,
    "grpc.max_reconnect_backoff_ms": 200,
  });
  return {
    execute(code, metadata = {}) {
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
          create(ExecuteRequestSchema, { request: { code } }),
          headers,
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
