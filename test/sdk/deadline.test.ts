import { describe, expect, it, vi } from "vitest";
import { Codemode, defineTool } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import { toConnectError } from "../../src/shared/status.ts";
import type { Script as Program } from "../support/scripted-executor.ts";
import { createGate, startCuttable } from "./support/cuttable.ts";
import { answer, createLog, success } from "./support/messages.ts";
import { type Script, startScriptedService } from "./support/scripted-service.ts";

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
    const asked = Number.parseInt((await askedDeadline({ timeoutMs: 60_000 })) ?? "", 10);
    expect(asked).toBeGreaterThan(30_000);
    expect(asked).toBeLessThanOrEqual(60_000);
  });
});

const tool = defineTool({ name: "one", description: "One", execute: () => 1 });

describe("what goes before a program", () => {
  it.each([
    ["getServerInfo", "execute", {}],
    ["getServerInfo", "stream", {}],
    ["getExecution", "stream", { tools: [tool], requestId: "r-1" }],
  ] as const)("takes its time from the deadline: %s before %s", async (slow, run, options) => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      let asked = "";
      const take = (name: string) => {
        if (name === slow) vi.advanceTimersByTime(40_000);
      };
      async function* log() {
        const { started, finished } = createLog();
        yield started();
        yield finished(success("1"));
      }
      await using service = await startScriptedService({
        getServerInfo() {
          take("getServerInfo");
          return {};
        },
        getExecution() {
          take("getExecution");
          return { execution: {} };
        },
        execute(_request, { requestHeader }) {
          asked = requestHeader.get("grpc-timeout") ?? "";
          return answer(success("1"));
        },
        executeStream(_request, { requestHeader }) {
          asked = requestHeader.get("grpc-timeout") ?? "";
          return log();
        },
      });
      await using codemode = Codemode.connect({ url: service.url });
      const all = { ...options, timeoutMs: 60_000 };
      await (run === "execute" ? codemode.execute("x", all) : codemode.stream("x", all).outcome);
      expect(Number.parseInt(asked, 10)).toBeGreaterThan(19_000);
      expect(Number.parseInt(asked, 10)).toBeLessThanOrEqual(20_000);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("a call that asks more than once", () => {
  it("has one deadline for all that it asks", async () => {
    vi.useFakeTimers({ toFake: ["performance"] });
    try {
      const asked: string[] = [];
      const getExecution: Script["getExecution"] = (_request, { requestHeader }) => {
        asked.push(requestHeader.get("grpc-timeout") ?? "");
        vi.advanceTimersByTime(40_000);
        throw toConnectError(new CodemodeError("not_found", "no such execution"));
      };
      await using first = await startScriptedService({ getExecution });
      await using second = await startScriptedService({ getExecution });
      await using codemode = Codemode.connect({ url: [first.url, second.url] });
      const failed = codemode.getExecution("e-1", { timeoutMs: 60_000 });
      await expect(failed).rejects.toMatchObject({ kind: "not_found" });
      const deadlines = asked.map((header) => Number.parseInt(header, 10));
      expect(deadlines[0]).toBeGreaterThan(59_000);
      expect(deadlines[1]).toBeLessThanOrEqual(20_000);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe.each(["execute", "stream", "interactive"])(
  "a deadline that passes in the queue, by %s",
  (road) => {
    it("is the error, once, and the program never runs", async () => {
      const gate = createGate();
      const waiting: Program = () => gate.opened;
      const one: Program = () => 1;
      const settings = { slots: 1 };
      await using test = await startCuttable({ waiting, one }, { settings });
      const occupant = test.codemode.stream("waiting");
      await occupant.id;
      const options = { timeoutMs: 200, requestId: "r-1" };
      const tools = { ...options, tools: [tool] };
      const run = {
        execute: () => test.codemode.execute("one", options),
        stream: () => test.codemode.stream("one", options).outcome,
        interactive: () => test.codemode.stream("one", tools).outcome,
      }[road];
      const failed = run?.();
      await vi.waitFor(() => expect(test.server.stats().queued).toBe(1));
      await expect(failed).rejects.toMatchObject({
        name: "CodemodeTimeoutError",
        kind: "deadline_exceeded",
        retryable: false,
      });
      await vi.waitFor(() => expect(test.server.stats().queued).toBe(0));
      gate.open();
      await occupant.outcome;
      expect(test.executor.started).toEqual(["waiting"]);
    });
  },
);
