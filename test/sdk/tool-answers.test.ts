import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it, vi } from "vitest";
import { z } from "zod";
import { Codemode, defineTool } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import { toConnectError } from "../../src/shared/status.ts";
import { createLog, failure } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";
import { startToolProgram } from "./support/tool-programs.ts";

const overHttp1 = { transport: "connect", httpVersion: "1.1" } as const;
const json = (answer: object) => ("resultJson" in answer ? String(answer.resultJson) : "null");

describe("an answer by SubmitToolResult", () => {
  const one = defineTool({ name: "one", description: "d", execute: () => 1 });

  it("is sent again where it is not known whether it arrived", async () => {
    let tries = 0;
    await using test = await startToolProgram(async ({ call }) => json(await call("one")), {
      ...overHttp1,
      retry: false,
      wrap: (script) => ({
        ...script,
        submitToolResult(request, context) {
          tries += 1;
          if (tries < 3) throw new ConnectError("try later", Code.Unavailable);
          return script.submitToolResult?.(request, context) ?? {};
        },
      }),
    });
    expect(await test.codemode.execute("x", { tools: [one] })).toMatchObject({ value: 1 });
    expect(tries).toBe(3);
  });

  it("that the service refuses for its content becomes a failure of the call", async () => {
    await using test = await startToolProgram(
      async ({ call }) => JSON.stringify(await call("one")),
      {
        ...overHttp1,
        wrap: (script) => ({
          ...script,
          submitToolResult(request, context) {
            if (request.result?.result.case === "resultJson") {
              throw toConnectError(new CodemodeError("invalid_request", "3 MiB, at most 2 MiB"));
            }
            return script.submitToolResult?.(request, context) ?? {};
          },
        }),
      },
    );
    const message = "the service refused the result: 3 MiB, at most 2 MiB";
    expect(await test.codemode.execute("x", { tools: [one] })).toMatchObject({
      value: { error: { kind: "invalid_result", message } },
    });
  });

  it("to a call that is not open any more is dropped", async () => {
    let submitted = 0;
    const done = Promise.withResolvers<void>();
    await using service = await startScriptedService(
      {
        async *executeStream() {
          const log = createLog();
          yield log.started();
          yield log.toolCall("c1", "one");
          await done.promise;
          yield log.finished(failure("exception", "x"));
        },
        submitToolResult() {
          submitted += 1;
          done.resolve();
          throw toConnectError(new CodemodeError("not_found", "no such call"));
        },
      },
      overHttp1,
    );
    await using codemode = Codemode.connect({ url: service.url, ...overHttp1 });
    await codemode.execute("x", { tools: [one] });
    expect(submitted).toBe(1);
  });
});

describe("a request with tools", () => {
  const stranger = z.object({ a: z.string() });

  it("that cannot be right fails before anything is sent", async () => {
    await using codemode = Codemode.connect({ url: "http://127.0.0.1:9" });
    const tool = defineTool({
      name: "a",
      description: "d",
      inputSchema: stranger,
      execute: () => 1,
    });
    for (const [options, field] of [
      [{ tools: [tool, tool] }, "tools[1]"],
      [{ tools: ["missing"] }, "tools"],
      [{ tools: { bad: {} } }, 'tools["bad"].execute'],
      [{ toolServices: [""] }, "toolServices"],
      [{ payloads: "none" as never }, "payloads"],
    ] as const) {
      const expected = { kind: "invalid_request", violations: [{ field }] };
      await expect(codemode.execute("x", options)).rejects.toMatchObject(expected);
      await expect(codemode.stream("x", options).outcome).rejects.toMatchObject(expected);
    }
  });

  it("is tried again while nothing has come, by the same tools", async () => {
    let tries = 0;
    const one = vi.fn(() => 1);
    await using test = await startToolProgram(async ({ call }) => json(await call("one")), {
      retry: { baseMs: 1 },
      wrap: (script) => ({
        ...script,
        async *executeInteractive(requests, context) {
          tries += 1;
          if (tries < 3) throw toConnectError(new CodemodeError("overloaded", "full"));
          if (script.executeInteractive !== undefined) {
            yield* script.executeInteractive(requests, context);
          }
        },
      }),
    });
    const tools = [defineTool({ name: "one", description: "d", execute: one })];
    expect(await test.codemode.execute("x", { tools })).toMatchObject({ value: 1 });
    expect(tries).toBe(3);
    expect(one).toHaveBeenCalledOnce();
  });
});
