import { connect } from "node:http2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Codemode, type Execution } from "../../src/index.ts";
import { createServer, parseConfig, type Server } from "../../src/server.ts";
import { allGone, calledFromInside, statusOf } from "../support/processes.ts";
import { noPython } from "../support/toolchain.ts";

const spin = "import os\nprint(os.getpid())\nwhile True: pass";

/** Reads the stream up to the guest's process id. */
async function pidOf(execution: Execution<unknown>): Promise<number> {
  const events = execution[Symbol.asyncIterator]();
  for (let step = await events.next(); !step.done; step = await events.next()) {
    if (step.value.type === "output") return calledFromInside(Number(step.value.text));
  }
  throw new Error("the program ended without a word");
}

// How many milliseconds this takes is a row of `npm run bench` (cancel to death).
describe.skipIf(noPython)("a caller that gives up leaves no guest", () => {
  let server: Server;
  let codemode: Codemode;
  beforeAll(async () => {
    const settings = { port: 0, log_level: "silent", isolation: { require: "T0" } } as const;
    server = await createServer(parseConfig(settings));
    codemode = Codemode.connect({ url: server.url });
  });
  afterAll(async () => {
    await codemode.close();
    await server[Symbol.asyncDispose]();
  });

  it("when cancel() has resolved", async () => {
    const execution = codemode.stream(spin);
    const pid = await pidOf(execution);
    await execution.cancel();
    expect(statusOf(pid)).toBeUndefined();
    // The service's own word, which comes when the guest is dead: the SDK did not have to give up.
    const message = "the caller cancelled the execution";
    expect(await execution.outcome).toMatchObject({ error: { reason: "cancelled", message } });
  });

  it("when the loop was left by break", async () => {
    let pid = 0;
    for await (const event of codemode.stream(spin)) {
      if (event.type !== "output") continue;
      pid = calledFromInside(Number(event.text));
      break;
    }
    expect(statusOf(pid)).toBeUndefined();
  });

  it("when it was disposed", async () => {
    let pid: number;
    {
      await using execution = codemode.stream(spin);
      pid = await pidOf(execution);
    }
    expect(statusOf(pid)).toBeUndefined();
  });

  it("soon after its signal aborted", async () => {
    const controller = new AbortController();
    const execution = codemode.stream(spin, { signal: controller.signal });
    const pid = await pidOf(execution);
    controller.abort();
    await expect(execution.outcome).rejects.toMatchObject({ kind: "cancelled" });
    await allGone([pid]);
  });

  it("soon after its connection broke", async () => {
    const session = connect(server.url);
    const request = session.request({
      ":method": "POST",
      ":path": "/codemode.v1.ExecutorService/ExecuteStream",
      "content-type": "application/connect+json",
    });
    const body = Buffer.from(JSON.stringify({ request: { code: spin } }));
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    request.end(Buffer.concat([head, body]));
    const pid = await new Promise<number>((resolve) => {
      let text = "";
      request.setEncoding("utf8").on("data", (chunk: string) => {
        text += chunk;
        const printed = /"text":"(\d+)\\n"/.exec(text)?.[1];
        if (printed !== undefined) resolve(calledFromInside(Number(printed)));
      });
    });
    request.on("error", () => {});
    session.on("error", () => {});
    session.destroy();
    await allGone([pid]);
    expect((await codemode.execute("1")).status).toBe("completed");
  });
});
