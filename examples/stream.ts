// Follows a program as it runs, and takes its typed value at the end.
// npm start, then: CODEMODE_EXECUTOR_URL=http://127.0.0.1:8001 npm exec -- node --conditions=codemode-source examples/stream.ts
import { Codemode } from "codemode";
import { z } from "zod";

const code = `
import sys, time

for step in range(1, 4):
    print("step", step)
    time.sleep(0.05)
print("almost there", file=sys.stderr)
{"steps": 3}
`;

await using codemode = Codemode.fromEnv();
await using execution = codemode.stream(code, { output: z.object({ steps: z.int() }) });

for await (const event of execution) {
  if (event.type === "started") {
    console.log(`started on ${event.engine}, isolation ${event.isolationTier}`);
  }
  if (event.type === "output") {
    for (const line of event.text.trimEnd().split("\n")) console.log(`${event.channel}: ${line}`);
  }
}

const result = await execution.outcome;
if (result.status === "completed") console.log(`completed: ${JSON.stringify(result.value)}`);
else console.log(`failed: ${result.error.reason}: ${result.error.message}`);
