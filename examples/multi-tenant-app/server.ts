// An application with several tenants: their programs (written by a model, most often) come by HTTP and
// query a SQLite database through tools.
// npm start, then: CODEMODE_EXECUTOR_URL=http://127.0.0.1:8001 npm exec -- node --conditions=codemode-source examples/multi-tenant-app/server.ts
// curl -H 'authorization: Bearer acme-token' --data-binary 'len(tools.list_orders())' http://127.0.0.1:3000/programs
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { Codemode, CodemodeError, withContext } from "codemode";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
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

const app = new Hono();

app.use(async (c, next) => {
  const token = /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "")?.[1];
  const session = sessions.get(token ?? "");
  if (session === undefined) return answer(c, 401, { error: "who are you?" });
  // From here on everything is done for this tenant, the tools that its programs call included.
  return await withContext(session, next);
});

app.get("/prompt", async (c) => answer(c, 200, { prompt: await codemode.toolPrompt() }));

const tooLong = (c: Context) => answer(c, 413, { error: "the program is too long" });

app.post("/programs", bodyLimit({ maxSize: maxProgramBytes, onError: tooLong }), async (c) => {
  const result = await codemode.execute(await c.req.text(), {
    signal: c.req.raw.signal, // whoever hangs up needs no result
    limits: { wallMs: 10_000, toolCalls: 100 },
  });
  if (result.status === "completed")
    return answer(c, 200, { value: result.value ?? result.text, stdout: result.stdout });
  const { reason, type, message, line } = result.error;
  return answer(c, 422, { error: { reason, type, message, line }, stdout: result.stdout });
});

app.notFound((c) => answer(c, 404, { error: "there is nothing here" }));

app.onError((error, c) => {
  const { kind, correlationId } = CodemodeError.from(error);
  const status = kind === "overloaded" || kind === "unavailable" ? 503 : 500;
  return answer(c, status, { error: kind, correlationId });
});

const http = serve({
  fetch: app.fetch,
  port: Number(process.env.PORT ?? 3000),
  hostname: "127.0.0.1",
});
await once(http, "listening");
console.log(`serves on http://127.0.0.1:${(http.address() as AddressInfo).port}`);
await Promise.race([once(process, "SIGTERM"), once(process, "SIGINT")]);
http.close();
if ("closeAllConnections" in http) http.closeAllConnections();

function answer(
  c: Context,
  status: 200 | 401 | 404 | 413 | 422 | 500 | 503,
  body: object,
): Response {
  // An integer beyond 2^53 is a bigint, which JSON.stringify takes as text only.
  const text = JSON.stringify(body, (_key, value) =>
    typeof value === "bigint" ? String(value) : value,
  );
  return c.body(`${text}\n`, status, { "content-type": "application/json" });
}
