// `npm run demo`: starts the service on loopback, runs programs through a real gRPC client, and
// prints what came back.

import { setTimeout as sleep } from "node:timers/promises";
import {
  Codemode,
  defineTool,
  type ExecuteRequest,
  type ExecutionResult,
  type StreamEvent,
} from "codemode";
import { createServer, parseConfig, type Server, type Settings } from "codemode/server";
import { z } from "zod";

/** A program to show. */
interface Example {
  readonly title: string;
  readonly request: ExecuteRequest;
}

const fibonacci = `import time
a, b = 0, 1
for _ in range(10):
    print(a)
    a, b = b, a + b
    time.sleep(0.05)`;

const degrees: Readonly<Record<string, number>> = { Oslo: -3, Cairo: 31, Lima: 19 };

/** A tool of this application: it runs here, and programs call it. */
const weather = defineTool({
  name: "weather",
  description: "Current weather of a city",
  inputSchema: z.object({ city: z.string() }),
  outputSchema: z.object({ city: z.string(), celsius: z.number() }),
  async execute({ city }) {
    await sleep(100); // as a real service would take its time
    const celsius = degrees[city];
    if (celsius === undefined) throw new Error(`no station in ${city}`);
    return { city, celsius };
  },
});

const report = defineTool({
  name: "send_report",
  description: "Sends a text to the user of this execution",
  inputSchema: z.object({ text: z.string() }),
  execute: ({ text }, { context }) => `sent to ${context.user_id}: ${text}`,
});

const orchestration = `import asyncio
cities = await asyncio.gather(*[tools.weather(city=c) for c in ("Oslo", "Cairo", "Lima")])
warmest = max(cities, key=lambda c: c["celsius"])
try:
    await tools.weather(city="Atlantis")
except ToolError as error:
    print("no weather:", error)
await tools.send_report(text=f"{warmest['city']} is warmest, {warmest['celsius']} degrees")`;

const examples: readonly Example[] = [
  { title: "a value", request: { code: "result = 2 + 2" } },
  {
    title: "under a tenant's context",
    request: {
      code: 'import json\ndata = {"status": "success", "value": 42}\nresult = json.dumps(data)',
      context: { client_id: "acme", user_id: "user_123" },
    },
  },
  { title: "output as it is written", request: { code: fibonacci } },
  {
    title: "a failure is a value",
    request: { code: "def divide(x):\n    return x / 0\n\ndivide(1)" },
  },
  {
    title: "an endless loop, with a limit of 500 ms",
    request: { code: "while True: pass", limits: { wallMs: 500 } },
  },
  {
    title: "three tools in parallel, one that fails, and a fourth with their result",
    request: { code: orchestration, tools: [weather, report], context: { user_id: "user_123" } },
  },
  { title: "reading a file of the host", request: { code: 'open("/etc/passwd").read()' } },
  {
    title: "connecting to the network",
    request: { code: 'import socket\nsocket.create_connection(("127.0.0.1", 22))' },
  },
  { title: "forking", request: { code: "import os\nos.fork()" } },
  { title: "reading the environment", request: { code: "import os\ndict(os.environ)" } },
];

const service = await startService();
if (service === undefined) process.exit(0); // said why; there is nothing to show
await using server = service;
await using codemode = Codemode.connect({ url: server.url });
for (const example of examples.slice(0, 3)) await show(example);
await showTenants();
for (const example of examples.slice(3)) await show(example);

/**
 * The service at its required isolation; by an explicit weaker word where the host cannot give it;
 * undefined where there is no Python either.
 */
async function startService(): Promise<Server | undefined> {
  const settings = { port: 0, log_level: "silent" } as const;
  const strict = await tryService(settings);
  if (typeof strict !== "string") return announced(strict);
  console.log(`The service does not start here as it should:\n  ${strict}`);
  const weak = await tryService({ ...settings, isolation: { require: "T0" } });
  if (typeof weak === "string") {
    console.log(`Nor by a weaker word:\n  ${weak}`);
    return undefined;
  }
  console.log('The demo goes on by a weaker word of its own: isolation: { require: "T0" }.\n');
  return announced(weak);
}

async function tryService(settings: Settings): Promise<Server | string> {
  try {
    return await createServer(parseConfig(settings));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function announced(server: Server): Server {
  for (const { name, version, isolationTier, warnings } of server.info().engines) {
    console.log(
      `Serving on ${server.url}: ${name} ${version}, isolation ${isolationTier} by the word of its probes.`,
    );
    for (const warning of warnings) console.log(`  WARNING: ${warning}`);
  }
  return server;
}

async function show({ title, request }: Example): Promise<void> {
  heading(title, request.code);
  const start = performance.now();
  await using execution = codemode.stream(request);
  for await (const event of execution) console.log(`  ${elapsed(start)}  ${describe(event)}`);
  console.log(`  => ${summary(await execution.outcome)}`);
}

/** Ten tenants at once: each program sees its own context and no other. */
async function showTenants(): Promise<void> {
  const code = 'context["client_id"]';
  heading("ten tenants at once", code);
  const start = performance.now();
  const tenants = Array.from({ length: 10 }, (_, index) => `client-${index}`);
  const results = await Promise.all(
    tenants.map((client_id) => codemode.withContext({ client_id }, () => codemode.execute(code))),
  );
  const answers = results.map((result) =>
    result.status === "completed" ? result.value : result.error.message,
  );
  console.log(`  ${elapsed(start)}  ${answers.join(" ")}`);
  console.log(`  => ${new Set(answers).size} different answers`);
}

function heading(title: string, code: string): void {
  console.log(`\n${title}`);
  for (const line of code.split("\n")) console.log(`  | ${line}`);
}

function describe(event: StreamEvent): string {
  switch (event.type) {
    case "started":
      return `started   on ${event.engine}`;
    case "output":
      return `${event.channel}    ${JSON.stringify(event.text)}`;
    case "finished":
      return `finished  ${event.outcome.status}`;
    case "tool_call":
      return `call      ${event.tool} ${event.argumentsJson}`;
    case "tool_result":
      return `answer    ${"error" in event ? event.error.message : event.resultJson}`;
    default:
      return event.type;
  }
}

function summary(result: ExecutionResult<unknown>): string {
  const used = `${result.usage.wallMs.toFixed(1)} ms, ${result.usage.cpuMs.toFixed(1)} ms of CPU`;
  if (result.status === "completed") return `${result.type} ${result.text}   (${used})`;
  const { reason, type, message, line, traceback } = result.error;
  const where = line > 0 ? ` at line ${line}` : "";
  const trace = traceback.trimEnd().replaceAll("\n", "\n     ");
  const headline = `failed: ${reason}${where}: ${type === "" ? "" : `${type}: `}${message}   (${used})`;
  return trace === "" ? headline : `${headline}\n     ${trace}`;
}

function elapsed(start: number): string {
  return `${(performance.now() - start).toFixed(0).padStart(5)} ms`;
}
