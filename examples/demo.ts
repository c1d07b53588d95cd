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
import { createServer, parseConfig, type Server } from "codemode/server";
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

// As it stands in this file, with the indent of its block.
const indented = `
    import json
    weather = tools['weather'].run(city='Cairo')
    data = {"status": "success", "value": weather["celsius"]}
    result = json.dumps(data)
  `;

const answer = `It takes a loop over the cities:

\`\`\`python
from tools import weather

for city in ("Oslo", "Cairo", "Lima"):
    if weather(city=city)["celsius"] > 20:
        return f"{city} is warm"
\`\`\`

The first warm one is the answer.`;

const typescript = `interface Weather { city: string; celsius: number }

const cities: string[] = ["Oslo", "Cairo", "Lima"];
const all: Weather[] = await Promise.all(cities.map((city) => tools.weather({ city })));
console.log("asked for", all.length);
return all.filter(({ celsius }) => celsius > 0).map(({ city }) => city);`;

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
  {
    title: "a program with the indent of the code around it",
    request: { code: indented, tools: [weather] },
  },
  {
    title: "a model's answer as it came, with its prose, its fence and a top-level return",
    request: { code: answer, tools: [weather] },
  },
  {
    title: "the same tools from TypeScript",
    request: { code: typescript, language: "typescript", tools: [weather] },
  },
  {
    title: "an integer that no double holds, from JavaScript",
    request: { code: "() => 2n ** 64n + 1n", language: "javascript" },
  },
  {
    title: "looking for the host from JavaScript",
    request: {
      code: "(() => {}).constructor.constructor('return process')()",
      language: "javascript",
    },
  },
  { title: "reading a file of the host", request: { code: 'open("/etc/passwd").read()' } },
  {
    title: "connecting to the network",
    request: { code: 'import socket\nsocket.create_connection(("127.0.0.1", 22))' },
  },
  { title: "forking", request: { code: "import os\nos.fork()" } },
  { title: "reading the environment", request: { code: "import os\ndict(os.environ)" } },
];

await using server = await startService();
await using codemode = Codemode.connect({ url: server.url });
const hasPython = (await whyNoPython(server)).length === 0;
if (hasPython) await showTenants();
for (const example of examples) {
  if (hasPython || example.request.language !== undefined) await show(example);
}

/** The service as it is by default; by an explicit weaker word where Python has no wall here. */
async function startService(): Promise<Server> {
  const settings = { port: 0, log_level: "silent", queue_timeout_ms: 60_000 } as const;
  const strict = await createServer(parseConfig(settings));
  const reasons = await whyNoPython(strict);
  if (reasons.length === 0) return announced(strict);
  console.log("Python is not up here as the service wants it; JavaScript and TypeScript may be:");
  for (const reason of reasons) console.log(`  ${reason}`);
  await strict[Symbol.asyncDispose]();
  console.log('The demo goes on by a weaker word of its own: isolation: { require: "T0" }.\n');
  const weak = await createServer(parseConfig({ ...settings, isolation: { require: "T0" } }));
  for (const reason of await whyNoPython(weak)) console.log(`Python is left out: ${reason}`);
  return announced(weak);
}

/** The reason of each engine for Python, where none is up; asked when those that start have started. */
async function whyNoPython(server: Server): Promise<readonly string[]> {
  for (;;) {
    const engines = server.info().engines.filter(({ languages }) => languages.includes("python"));
    const up = engines.filter((engine) => engine.up);
    if (up.length === 0) return engines.map(({ name, reason }) => `${name}: ${reason}`);
    if (up.some(({ isolationTier }) => isolationTier !== undefined)) return [];
    await sleep(50);
  }
}

function announced(server: Server): Server {
  console.log(`Serving on ${server.url}`);
  for (const engine of server.info().engines) {
    const { name, version, isolationTier, languages, warnings } = engine;
    const state = engine.up
      ? `isolation ${isolationTier} by the word of its probes`
      : `not up: ${engine.reason}`;
    console.log(`  ${name} ${version} (${languages.join(", ")}): ${state}`);
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
      return `started   on ${event.engine}, isolation ${event.isolationTier}`;
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
