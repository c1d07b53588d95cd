// A service with an engine of one's own, here for the language of a calculator, and a client of it.
// npm exec -- node --conditions=codemode-source examples/calculator-engine/main.ts
import { Codemode, defineTool } from "codemode";
import { createServer, parseConfig } from "codemode/server";
import { pino } from "pino";
import { z } from "zod";
import { createCalculator } from "./engine.ts";

const programs = {
  "a value": "2 3 + 4 *",
  "output and variables": "while n 3 < do n 1 + n! n n * print end",
  "a tool": "100 amount: to_euro() 2 *",
  "an error": "1 x!\nx 0 /",
  "a typing error": "1 x!\nx ++",
  "an endless loop": "while 1 do end",
};

const toEuro = defineTool({
  name: "to_euro",
  description: "Converts dollars to euros.",
  inputSchema: z.object({ amount: z.number() }),
  execute: ({ amount }) => amount * 0.9,
});

await using calculator = createCalculator();
await using server = await createServer(parseConfig({ port: 0 }), {
  executors: [calculator],
  logger: pino({ level: "silent" }),
});
await using codemode = Codemode.connect({ url: server.url });

for (const [title, code] of Object.entries(programs)) {
  const result = await codemode.execute(code, {
    language: "calculator",
    tools: [toEuro],
    limits: { wallMs: 500 },
  });
  const printed = result.stdout.trimEnd().replaceAll("\n", ", ");
  if (result.status === "completed") console.log(`${title}: ${printed || result.text}`);
  else
    console.log(
      `${title}: ${result.error.reason} at line ${result.error.line}, ${result.error.message}`,
    );
}
