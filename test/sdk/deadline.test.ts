import { describe, expect, it } from "vitest";
import { Codemode } from "../../src/index.ts";
import { createLog, success } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";

/** What the service was told of a stream's deadline. */
async function askedDeadline(options: Parameters<Codemode["stream"]>[1]): Promise<string | null> {
  let asked: string | null = null;
  await using service = await startScriptedService({
    async *executeStream(_request, context) {
      asked = context.requestHeader.get("grpc-timeout");
      const log = createLog();
      yield log.started();
      yield log.finished(success("4"));
    },
  });
  await using codemode = Codemode.connect({ url: service.url });
  await codemode.stream("2 + 2", options).outcome;
  return asked;
}

describe("the deadline of a stream", () => {
  it("is none where its reader sets the pace, whatever the limits of the execution", async () => {
    expect(await askedDeadline({ limits: { wallMs: 1_000 } })).toBeNull();
  });

  it("is what the caller says", async () => {
    expect(await askedDeadline({ timeoutMs: 5_000 })).toMatch(/^(?:5000|49\d\d)m$/);
  });
});
