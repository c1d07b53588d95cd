import { describe, expect, it } from "vitest";
import { Codemode, getContext, withContext } from "../../src/index.ts";
import { answer, createLog, success } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";

/** A service whose programs give their context back. */
function startEcho() {
  return startScriptedService({
    execute: ({ request }) => answer(success(JSON.stringify(request?.context))),
    async *executeStream({ request }) {
      const log = createLog();
      yield log.started();
      yield log.finished(success(JSON.stringify(request?.context)));
    },
  });
}

async function contextOf(codemode: Codemode, context?: Record<string, string>) {
  const result = await codemode.execute("context", { context });
  return result.status === "completed" ? result.value : result.error;
}

describe("the context of a request", () => {
  it("comes from around the call, through any client", async () => {
    await using service = await startEcho();
    await using codemode = Codemode.connect({ url: service.url });
    await withContext({ client_id: "acme" }, async () => {
      expect(await contextOf(codemode)).toEqual({ client_id: "acme" });
      await codemode.withContext({ user_id: "u1" }, async () => {
        expect(getContext()).toEqual({ client_id: "acme", user_id: "u1" });
        expect(await contextOf(codemode)).toEqual({ client_id: "acme", user_id: "u1" });
      });
    });
    expect(await contextOf(codemode)).toEqual({});
  });

  it("leaves members out that are undefined, however deep", async () => {
    await using service = await startEcho();
    await using codemode = Codemode.connect({ url: service.url });
    const context = { user: undefined, account: { id: 1, name: undefined } };
    const result = await codemode.execute("context", { context });
    expect(result).toMatchObject({ status: "completed" });
    expect(result.status === "completed" && result.value).toEqual({ account: { id: 1 } });
    await expect(
      codemode.execute("context", { context: { list: [undefined] } as never }),
    ).rejects.toMatchObject({ kind: "invalid_request" });
  });

  it("is taken when a stream is made, not when it is read", async () => {
    await using service = await startEcho();
    await using codemode = Codemode.connect({ url: service.url });
    const execution = withContext({ client_id: "acme" }, () => codemode.stream("context"));
    const outcome = await withContext({ client_id: "globex" }, () => execution.outcome);
    expect(outcome).toMatchObject({ value: { client_id: "acme" } });
  });

  it("is decided key by key: connect < withContext < with < the request's own", async () => {
    await using service = await startEcho();
    const context = { a: "connect", b: "connect", c: "connect", d: "connect" };
    await using codemode = Codemode.connect({ url: service.url, context });
    const bound = codemode.with({ c: "with" }).with({ d: "with" });
    await withContext({ b: "ambient", c: "ambient", d: "ambient" }, async () => {
      expect(await contextOf(bound, { d: "own" })).toEqual({
        a: "connect",
        b: "ambient",
        c: "with",
        d: "own",
      });
      expect(await contextOf(codemode)).toMatchObject({ c: "ambient" });
    });
  });

  it("is kept apart over 1,000 interleaved programs", async () => {
    await using service = await startEcho();
    await using codemode = Codemode.connect({ url: service.url });
    const seen = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        withContext({ client_id: `c${index}` }, async () => {
          await Promise.resolve();
          if (index % 2 === 0) return contextOf(codemode);
          const outcome = await codemode.stream("context").outcome;
          return outcome.status === "completed" ? outcome.value : outcome.error;
        }),
      ),
    );
    seen.forEach((context, index) => {
      expect(context).toEqual({ client_id: `c${index}` });
    });
    expect(service.connections).toBe(1);
  });
});
