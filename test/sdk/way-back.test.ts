import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { ExecutionState } from "../../gen/es/codemode/v1/execution_pb.ts";
import type { GetExecutionResponseSchema } from "../../gen/es/codemode/v1/executor_pb.ts";
import { Codemode, type ConnectOptions } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import { instanceTrailer, toConnectError } from "../../src/shared/status.ts";
import { toOutcomeMessage } from "../../src/shared/wire/outcome.ts";
import { quick } from "./support/cuttable.ts";
import { answer, executionId, outcomeOf, success } from "./support/messages.ts";
import {
  type Script,
  type ScriptedService,
  startScriptedService,
} from "./support/scripted-service.ts";

type Found = MessageInitShape<typeof GetExecutionResponseSchema>;

const startTime = { seconds: 1n };
const running: Found = {
  execution: { executionId, instanceId: "i1", state: ExecutionState.RUNNING, startTime },
};
const ended: Found = {
  execution: {
    ...running.execution,
    state: ExecutionState.FINISHED,
    outcome: toOutcomeMessage(outcomeOf(success("1"))),
  },
};
const gone = () => toConnectError(new CodemodeError("not_found", "no such execution"));

/** What the service does at each turn; the last one goes on. */
interface Turns {
  readonly execute: readonly ("cut" | "refuse" | "answer" | CodemodeError)[];
  readonly getExecution: readonly (Found | (() => ConnectError) | "silence")[];
}

/** A service of one instance that loses what it is sent, and a client of it. */
async function setUp({ execute, getExecution }: Turns, options: Partial<ConnectOptions> = {}) {
  const counts = { execute: 0, getExecution: 0 };
  const deadlines: (string | null)[] = [];
  const turn = <T>(of: keyof typeof counts, turns: readonly T[]): T | undefined => {
    counts[of] += 1;
    return turns[Math.min(counts[of], turns.length) - 1];
  };
  const name = ({ responseTrailer }: HandlerContext) => responseTrailer.set(instanceTrailer, "i1");
  let service: ScriptedService | undefined;
  const begin = () => {
    const step = turn("execute", execute);
    if (step instanceof CodemodeError) throw toConnectError(step);
    if (step === "cut") service?.disconnect();
    return answer(success("1"));
  };
  const script: Script = {
    getServerInfo(_request, context) {
      name(context);
      return {};
    },
    execute: begin,
    async *executeStream() {
      begin();
      await Promise.resolve();
      yield {};
    },
    async getExecution(_request, context) {
      name(context);
      deadlines.push(context.requestHeader.get("grpc-timeout"));
      const step = turn("getExecution", getExecution);
      if (typeof step === "function") throw step();
      if (step !== "silence") return step ?? {};
      return await new Promise<Found>((_resolve, reject) => {
        context.signal.addEventListener("abort", () => reject(context.signal.reason));
      });
    },
    // biome-ignore lint/correctness/useYield: it has nothing to give.
    async *attachExecution(_request, context) {
      name(context);
      throw gone();
    },
  };
  service = await startScriptedService(script, {
    intercept(stream, method) {
      if (method !== "Execute" || execute[counts.execute] !== "refuse") return false;
      counts.execute += 1;
      stream.on("error", () => undefined);
      stream.close(7);
      return true;
    },
  });
  const codemode = Codemode.connect({ url: service.url, retry: quick, ...options });
  return {
    codemode,
    counts,
    deadlines,
    async [Symbol.asyncDispose]() {
      await codemode.close();
      await service[Symbol.asyncDispose]();
    },
  };
}

const once = { ...quick, maxAttempts: 1 };

describe("the way back to a program that is known to run", () => {
  it("is tried as long as the program is kept, however often its streams are refused", async () => {
    const execute = ["cut", "refuse", "refuse", "refuse", "answer"] as const;
    await using test = await setUp({ execute, getExecution: [running] }, { retry: once });
    expect(await test.codemode.execute("x")).toMatchObject({ value: 1 });
    expect(test.counts.execute).toBe(5);
  });

  it("is tried again where the service has no room for one more reader", async () => {
    const full = new CodemodeError("overloaded", "too many followers", { retryAfterMs: 1 });
    const execute = ["cut", full, full, "answer"] as const;
    await using test = await setUp({ execute, getExecution: [running] }, { retry: once });
    expect(await test.codemode.execute("x")).toMatchObject({ value: 1 });
  });

  it("ends as lost, not as safe to try again, when the instance knows it no more", async () => {
    const execute = ["cut", "cut", "answer"] as const;
    await using test = await setUp({ execute, getExecution: [running, gone] });
    await expect(test.codemode.execute("x")).rejects.toMatchObject({
      kind: "execution_lost",
      retryable: false,
      executionId,
    });
    expect(test.counts.execute).toBe(2);
  });

  it("leads to its outcome where it ends, and its log goes, on the way", async () => {
    await using test = await setUp({ execute: ["cut"], getExecution: [running, ended] });
    expect(await test.codemode.stream("x").outcome).toMatchObject({ value: 1, executionId });
    expect(test.counts.execute).toBe(1);
  });
});

describe("an instance that does not answer what became of a request", () => {
  it("is asked again while there is time", async () => {
    const slow = () => new ConnectError("the operation timed out", Code.DeadlineExceeded);
    await using test = await setUp({ execute: ["cut", "answer"], getExecution: [slow, running] });
    expect(await test.codemode.execute("x")).toMatchObject({ value: 1 });
  });

  it("is waited for until the caller's deadline, and not beyond it", async () => {
    await using test = await setUp({ execute: ["cut"], getExecution: ["silence"] });
    await expect(test.codemode.execute("x", { timeoutMs: 300 })).rejects.toMatchObject({
      kind: "deadline_exceeded",
    });
    const asked = Number.parseInt(test.deadlines[0] ?? "", 10);
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThanOrEqual(300);
  });
});
