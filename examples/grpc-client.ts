// A client that has nothing of this project but its proto files: grpc-js loads them at run time, as
// grpcio, tonic or grpc-java do with generated code.
// npm start, then: CODEMODE_EXECUTOR_URL=http://127.0.0.1:8001 npm exec -- node examples/grpc-client.ts
import { fileURLToPath } from "node:url";
import {
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

/** The parts of the messages that this program reads; the whole is in proto/codemode/v1. */
interface Outcome {
  readonly success?: { readonly resultJson?: string; readonly resultText: string };
  readonly failure?: { readonly reason: string; readonly type: string; readonly message: string };
}
interface ExecuteResponse {
  readonly execution: { readonly executionId: string; readonly outcome: Outcome };
  readonly stdout: string;
}
interface ExecuteStreamResponse {
  readonly event: { readonly sequence: string; readonly event: string } & {
    readonly output?: { readonly channel: string; readonly text: string };
  };
}

const { CODEMODE_EXECUTOR_URL: address = "http://127.0.0.1:8001", CODEMODE_EXECUTOR_API_KEY: key } =
  process.env;

const proto = loadSync("codemode/v1/executor.proto", {
  includeDirs: [fileURLToPath(new URL("../proto", import.meta.url))],
  longs: String,
  enums: String,
  oneofs: true,
});
const { codemode } = loadPackageDefinition(proto) as unknown as {
  codemode: { v1: { ExecutorService: ServiceClientConstructor } };
};
const client = new codemode.v1.ExecutorService(new URL(address).host, credentials.createInsecure());
const metadata = new Metadata();
if (key !== undefined) metadata.set("authorization", `Bearer ${key}`);

function execute(code: string): Promise<ExecuteResponse> {
  return new Promise((resolve, reject) => {
    const onAnswer = (error: ServiceError | null, response: ExecuteResponse) =>
      error === null ? resolve(response) : reject(error);
    client.execute?.({ request: { code } }, metadata, onAnswer);
  });
}

const { stdout, execution } = await execute("print('hello from Python')\n2 ** 64");
console.log(`stdout: ${stdout.trimEnd()}`);
console.log(`value: ${execution.outcome.success?.resultJson}`);

const failed = await execute("1 / 0");
const { reason, type, message } = failed.execution.outcome.failure ?? {};
console.log(`${reason}: ${type}: ${message}`);

const request = { request: { code: "for n in range(3): print(n)" } };
const events = client.executeStream?.(
  request,
  metadata,
) as ClientReadableStream<ExecuteStreamResponse>;
let printed = "";
for await (const message of events) {
  const { event } = message as ExecuteStreamResponse;
  printed += event.output?.text ?? "";
  if (event.event === "finished") console.log(`streamed: ${JSON.stringify(printed)}`);
}
client.close();
