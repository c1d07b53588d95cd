import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Settings } from "../../src/server/settings.ts";
import type { ExecutionEvent } from "../../src/shared/model.ts";
import { toDuration } from "../../src/shared/wire/time.ts";
import { connectClient, type TestClient } from "../support/client.ts";
import { openInteractive } from "../support/interactive.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { noPython } from "../support/toolchain.ts";

const long = 600_000;
const short = 300;
// Long enough for an answer that is given at once, on a busy machine too.
const turnMs = 2_000;

/** Opens a call that nobody answers, and spins beside it. */
const callAndSpin = `
import asyncio
call = asyncio.ensure_future(tools.wait())
await asyncio.sleep(0)
while True: pass
`;

/** Opens a call that nobody answers, waits for it, and ends with how it failed. */
const callAndWait = `
try:
    tools.wait()
except ToolError as error:
    result = error.kind
`;

// One clock is short and the two others are longer than the test: which one ended a program is in
// its outcome, whatever the machine does meanwhile.
describe.skipIf(noPython)("of a program's three clocks", () => {
  let server: TestServer;
  let client: TestClient;
  beforeAll(async () => {
    const settings = {
      engines: ["cpython"],
      isolation: { require: "T0" },
      spare_guests: 2,
    } satisfies Settings;
    server = await startServer({ settings });
    client = connectClient(server.url);
  });
  afterAll(async () => {
    client[Symbol.dispose]();
    await server[Symbol.asyncDispose]();
  });

  /** All events of a program whose calls nobody answers. */
  function run(
    code: string,
    { wallMs = long, activeMs = long, waitMs = long },
  ): Promise<readonly ExecutionEvent[]> {
    const limits = {
      wallTimeout: toDuration(wallMs),
      activeTimeout: toDuration(activeMs),
      waitTimeout: toDuration(waitMs),
    };
    return openInteractive(client, { code, tools: [{ name: "wait" }], limits }).rest();
  }

  it("the guest's own CPU time ends one that has opened a call and spins", async () => {
    const events = await run(callAndSpin, { activeMs: short });
    expect(events).toMatchObject([
      { type: "started" },
      { type: "tool_call", tool: "wait" },
      { type: "tool_result", error: { kind: "cancelled" } },
      {
        type: "finished",
        outcome: {
          error: { reason: "timeout", message: `the program used its ${short} ms of CPU time` },
        },
      },
    ]);
    // The kernel's own limit, behind the service's, counts whole seconds.
    const last = events.at(-1);
    expect(last?.type === "finished" && last.outcome.usage.cpuMs).toBeLessThan(1_000);
  });

  it("the time of one call ends the call of one that waits for ever, and not the program", async () => {
    expect(await run(callAndWait, { waitMs: short })).toMatchObject([
      { type: "started" },
      { type: "tool_call", tool: "wait" },
      { type: "tool_result", error: { kind: "timeout" } },
      { type: "finished", outcome: { status: "completed", value: { json: '"timeout"' } } },
    ]);
  });

  it.each([
    ["waits for a call", callAndWait, ["tool_call", "tool_result"]],
    ["has opened a call and spins", callAndSpin, ["tool_call", "tool_result"]],
    ["sleeps", "import time\ntime.sleep(600)", []],
  ])(
    "the wall clock ends one that %s, whatever the others have left",
    async (_what, code, calls) => {
      const events = await run(code, { wallMs: short + 700 });
      expect(events.map(({ type }) => type)).toEqual(["started", ...calls, "finished"]);
      expect(events.at(-1)).toMatchObject({
        outcome: {
          error: { reason: "timeout", message: `the program ran longer than ${short + 700} ms` },
        },
      });
    },
  );

  it("only the wall clock runs while a program waits for its call: it uses no CPU time", async () => {
    const events = await run(callAndWait, { activeMs: short, waitMs: 4 * short });
    expect(events.at(-1)).toMatchObject({ outcome: { status: "completed" } });
  });
});

/** Makes three calls at once; its value is the answer of each, or how the call failed. */
const threeCalls = {
  python: `
import asyncio
async def answer():
    try: return await tools.wait()
    except ToolError as error: return error.kind
await asyncio.gather(*[answer() for n in range(3)])
`,
  javascript: `
const answer = () => tools.wait({}).catch((error) => error.kind);
return await Promise.all([answer(), answer(), answer()]);
`,
};

describe.each([
  ["cpython", "python", noPython],
  ["quickjs", "javascript", undefined],
] as const)("of calls that wait for their turn in %s", (engine, language, missing) => {
  it.skipIf(missing)("the time of each counts from its sending", async () => {
    const settings = { engines: [engine], isolation: { require: "T0" } } satisfies Settings;
    await using server = await startServer({ settings });
    using client = connectClient(server.url);
    const stream = openInteractive(client, {
      code: threeCalls[language],
      language,
      tools: [{ name: "wait" }],
      limits: { openToolCalls: 1, waitTimeout: toDuration(turnMs), wallTimeout: toDuration(long) },
    });
    // One after the other, each has the whole of its time, though the program made all at once.
    for (let unanswered = 0; unanswered < 2; unanswered++) {
      const call = await stream.until("tool_call");
      const result = await stream.until("tool_result");
      expect(result).toMatchObject({ callId: call.callId, error: { kind: "timeout" } });
      // Two clocks: timers may be a little early on that of events.
      expect(result.time.getTime() - call.time.getTime()).toBeGreaterThan(turnMs / 2);
    }
    const { callId } = await stream.until("tool_call");
    stream.answer({ callId, resultJson: '"answered"' });
    const events = await stream.rest();
    expect(events.at(-1)).toMatchObject({
      outcome: { value: { json: '["timeout","timeout","answered"]' } },
    });
  });
});
