import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { Codemode, type ConnectOptions } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import { toConnectError } from "../../src/shared/status.ts";
import { answer, createLog, executionId, success } from "./support/messages.ts";
import { startScriptedService } from "./support/scripted-service.ts";

const wires = [
  { transport: "grpc", httpVersion: "2" },
  { transport: "connect", httpVersion: "2" },
  { transport: "grpc-web", httpVersion: "2" },
  { transport: "connect", httpVersion: "1.1" },
  { transport: "grpc-web", httpVersion: "1.1" },
] as const satisfies Pick<ConnectOptions, "transport" | "httpVersion">[];

describe.each(wires)("over $transport and HTTP/$httpVersion", ({ transport, httpVersion }) => {
  it("runs, streams, cancels, retries and loses like over any other", async () => {
    const closed = Promise.withResolvers<void>();
    const cancelled: string[] = [];
    let tries = 0;
    await using service = await startScriptedService(
      {
        execute({ request }) {
          if (request?.code === "hang") return new Promise<never>(() => undefined);
          tries += 1;
          if (tries === 1) throw toConnectError(new CodemodeError("overloaded", "full"));
          return answer(success("9007199254740993"));
        },
        async *executeStream({ request }, { signal }) {
          const log = createLog();
          yield log.started();
          yield log.output("hello");
          if (request?.code === "endless") {
            await once(signal, "abort");
            closed.resolve();
          }
          yield log.finished(success("1"));
        },
        cancelExecution(request) {
          cancelled.push(request.executionId);
          throw toConnectError(new CodemodeError("not_found", "who?"));
        },
      },
      { httpVersion },
    );
    await using codemode = Codemode.connect({
      url: service.url,
      transport,
      httpVersion,
      retry: { baseMs: 1 },
    });
    expect(await codemode.execute("x")).toMatchObject({ value: 9007199254740993n });
    expect(tries).toBe(2);
    expect(await codemode.stream("x").outcome).toMatchObject({ value: 1, stdout: "hello" });

    for await (const event of codemode.stream("endless")) if (event.type === "output") break;
    expect(cancelled).toEqual([executionId]);
    await closed.promise;

    const lost = codemode.execute("hang").catch((error: unknown) => error);
    const endless = codemode.stream("endless");
    await endless.id;
    service.disconnect();
    expect(await lost).toMatchObject({ kind: "execution_lost" });
    await expect(endless.outcome).rejects.toMatchObject({ kind: "execution_lost" });
  });
});
