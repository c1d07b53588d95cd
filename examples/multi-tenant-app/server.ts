// An application with several tenants: their programs (written by a model, most often) come by HTTP and
// query a SQLite database through tools. Nothing but Node; the same lines fit a handler of Hono or Fastify.
// npm start, then: CODEMODE_EXECUTOR_URL=http://127.0.0.1:8001 npm exec -- node --conditions=source examples/multi-tenant-app/server.ts
// curl -H 'authorization: Bearer acme-token' --data-binary 'len(tools.list_orders())' http://127.0.0.1:3000/programs
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Codemode, CodemodeError, withContext } from "codemode";
import { openOrders } from "./database.ts";
import { orderTools } from "./tools.ts";

/** Who is asking, by the token of their session; stands for your own authentication. */
const sessions = new Map([
  ["acme-token", { client_id: "acme", user_id: "ann" }],
  ["globex-token", { client_id: "globex", user_id: "gus" }],
  ["initech-token", { client_id: "initech", user_id: "ivy" }],
]);

const maxProgramBytes = 64 * 1024;

await using codemode = Codemode.fromEnv();
codemode.registry.register(orderTools(openOrders()));

const http = createServer((request, response) => {
  void handle(request, response).catch((error: unknown) => answerError(response, error));
});
http.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
await once(http, "listening");
console.log(`serves on http://127.0.0.1:${(http.address() as AddressInfo).port}`);
await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
http.close();
http.closeAllConnections();

async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? "")?.[1];
  const session = sessions.get(token ?? "");
  if (session === undefined) return answer(response, 401, { error: "who are you?" });
  // From here on everything is done for this tenant, the tools that its programs call included.
  await withContext(session, async () => {
    switch (`${request.method} ${request.url}`) {
      case "GET /prompt":
        return answer(response, 200, { prompt: await codemode.toolPrompt() });
      case "POST /programs":
        return runProgram(request, response);
      default:
        return answer(response, 404, { error: "there is nothing here" });
    }
  });
}

async function runProgram(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const code = await readText(request);
  if (code === undefined) return answer(response, 413, { error: "the program is too long" });
  const left = new AbortController();
  response.once("close", () => left.abort()); // whoever hangs up needs no result
  const result = await codemode.execute(code, {
    signal: left.signal,
    limits: { wallMs: 10_000, toolCalls: 100 },
  });
  if (result.status === "completed")
    return answer(response, 200, { value: result.value ?? result.text, stdout: result.stdout });
  const { reason, type, message, line } = result.error;
  answer(response, 422, { error: { reason, type, message, line }, stdout: result.stdout });
}

/** The body; undefined when it is longer than a program may be. */
async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxProgramBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function answerError(response: ServerResponse, error: unknown): void {
  const { kind, correlationId } = CodemodeError.from(error);
  const status = kind === "overloaded" || kind === "unavailable" ? 503 : 500;
  answer(response, status, { error: kind, correlationId });
}

function answer(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  // An integer beyond 2^53 is a bigint, which JSON.stringify takes as text only.
  const text = JSON.stringify(body, (_key, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  response.end(`${text}\n`);
}
