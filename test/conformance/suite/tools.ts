import { describe, expect } from "vitest";
import type { Executor, GuestEvent, GuestTool } from "../../../src/executors/executor.ts";
import { type RunOptions, toProgram } from "../../support/programs.ts";
import type { ToolPrograms } from "../programs/programs.ts";
import { failureOf, given, jsonOf, type Subject } from "./subject.ts";

const tools: readonly (Partial<GuestTool> & { name: string })[] = [
  { name: "echo" },
  {
    name: "weather",
    signature: "weather(location, units)",
    parameters: ["location", "units"],
    required: ["location"],
  },
  { name: "my-tool" },
  { name: "nullable", nullWhenAbsent: ["a"], absentWhenNull: ["b"] },
];
const answerN: NonNullable<RunOptions["onCall"]> = (_call, { n }) => n;
const numbers = (count: number) => JSON.stringify(Array.from({ length: count }, (_, n) => n));

/** Tool calls: that each answer reaches its call, and what becomes of those that fail. */
export function describeTools(subject: Subject): void {
  const { programs, it } = subject;
  const { language } = programs;
  const own = () => given(programs.tools);
  const caught: NonNullable<ToolPrograms["caught"]> = (...call) => given(own().caught)(...call);
  const run = (code: string, options: RunOptions = {}) =>
    subject.run(code, { tools, onCall: answerN, ...options });
  const refuse = (kind: string, message: string) => () => {
    throw Object.assign(new Error(message), { kind });
  };

  describe("tools", () => {
    it("tools", "are called by name with arguments, and give what they answer", async () => {
      const seen: unknown[] = [];
      const onCall: RunOptions["onCall"] = ({ tool, argumentsJson }) =>
        seen.push([tool, argumentsJson]);
      const args = { location: "1", units: "2" };
      expect(jsonOf(await run(own().call("weather", args), { onCall }))).toBe("1");
      expect(seen).toEqual([["weather", '{"location":1,"units":2}']]);
    });

    it("tools", "may have a name that is no identifier", async () => {
      expect(jsonOf(await run(own().call("my-tool", { n: "3" })))).toBe("3");
    });

    it("tools", "are called 200 times in a row", async () => {
      const limits = { toolCalls: 1_000 };
      const { stdout } = await run(own().sequential(200), { limits });
      expect(stdout).toBe(Array.from({ length: 200 }, (_, n) => `${n}\n`).join(""));
    });

    it("tools", "are called with what was printed before ahead of the call", async () => {
      const { events } = await run(own().printAround, { onCall: () => null });
      const order = events.map((event) =>
        event.type === "output" ? event.text.trim() : event.type,
      );
      expect(order).toEqual(["started", "a", "tool_call", "b", "ended"]);
    });

    it("parallel tools", "are open at once, all 100, before the first is answered", async () => {
      const open = Promise.withResolvers<void>();
      let count = 0;
      const onCall: RunOptions["onCall"] = async (_call, { n }) => {
        if (++count === 100) open.resolve();
        await open.promise;
        return n;
      };
      const limits = { openToolCalls: 100 };
      expect(jsonOf(await run(given(own().parallel)(100), { onCall, limits }))).toBe(numbers(100));
    });

    it("parallel tools", "wait for their turn where fewer may be open", async () => {
      const full = Promise.withResolvers<void>();
      let open = 0;
      let most = 0;
      const onCall: RunOptions["onCall"] = async (_call, { n }) => {
        open += 1;
        most = Math.max(most, open);
        if (open === 7) full.resolve();
        await full.promise;
        await new Promise(setImmediate);
        open -= 1;
        return n;
      };
      const limits = { openToolCalls: 7 };
      expect(jsonOf(await run(given(own().parallel)(150), { onCall, limits }))).toBe(numbers(150));
      expect(most).toBe(7);
    });

    it(
      ["tools", "tool argument checks", "null"],
      "are given null for what is null when left out, and nothing for a null that means nothing",
      async () => {
        const seen: string[] = [];
        const onCall: RunOptions["onCall"] = ({ argumentsJson }) => seen.push(argumentsJson);
        const none = language === "python" ? "None" : "null";
        for (const args of [{ b: none, c: none }, { a: "1", b: "2" }, { a: none }] as const) {
          await run(own().call("nullable", { ...args }), { onCall });
        }
        expect(seen.map((text) => JSON.parse(text))).toEqual([
          { a: null, c: null },
          { a: 1, b: 2 },
          { a: null },
        ]);
      },
    );

    it("parallel tools", "get each their own answer, in whatever order it comes", async () => {
      const waiting: (() => void)[] = [];
      const backwards: RunOptions["onCall"] = (_call, { n }) =>
        new Promise((resolve) => {
          waiting.push(() => resolve(n));
          if (waiting.length === 10) for (const answer of waiting.reverse()) answer();
        });
      const { stdout, ...collected } = await run(given(own().parallel)(10), { onCall: backwards });
      expect(jsonOf({ stdout, ...collected })).toBe(numbers(10));
    });

    it("parallel tools", "have a key each that is the same in every run", async () => {
      const keysOf = async () => {
        const keys: Record<string, string> = {};
        const onCall: RunOptions["onCall"] = (call, { n }) => {
          keys[String(n)] = call.callKey;
          return n;
        };
        await run(given(own().parallel)(10), { onCall });
        return keys;
      };
      const first = await keysOf();
      expect(new Set(Object.values(first)).size).toBe(10);
      expect(await keysOf()).toEqual(first);
    });

    it("tools", "that fail raise a ToolError with the handler's words", async () => {
      const onCall = refuse("exception", "no such city");
      const error = failureOf(await run(own().onLine2, { onCall }));
      expect(error).toMatchObject({
        reason: "exception",
        type: "ToolError",
        message: "no such city",
        line: 2,
      });
    });

    it(
      ["tools", "catching errors"],
      "that fail can be caught, and say which tool it was",
      async () => {
        const onCall = refuse("exception", "no such city");
        const code = caught("weather", { location: "1" });
        const said = JSON.stringify(["ToolError", "no such city", "weather", "exception"]);
        expect(jsonOf(await run(code, { onCall }))).toBe(said);
      },
    );

    for (const kind of ["not_granted", "invalid_arguments", "timeout", "unavailable"] as const) {
      it(["tools", "catching errors"], `that the host refuses say why: ${kind}`, async () => {
        const error = { kind, type: "", message: "refused by the host" };
        const result = await answered(caught("echo", {}), (call) => ({ call, error }));
        const said = JSON.stringify(["ToolError", "refused by the host", "echo", kind]);
        expect(result).toBe(said);
      });
    }

    it(
      ["tools", "catching errors"],
      "that are not there are refused, with the nearest name",
      async () => {
        const code = caught("wether", { location: "1" });
        const collected = await run(code);
        const [type, message, tool, kind] = JSON.parse(jsonOf(collected) ?? "");
        expect([type, tool, kind]).toEqual(["ToolError", "wether", "not_granted"]);
        expect(message).toContain("wether");
        expect(message).toContain("weather");
        expect(collected.events.map((event) => event.type)).toEqual(["started", "ended"]);
      },
    );

    it("tools", "that are not listed are asked for where there may be more", async () => {
      const options = { hasMoreTools: true };
      expect(jsonOf(await run(own().call("fresh", { n: "4" }), options))).toBe("4");
    });

    it("tools", "include those that find tools", async () => {
      const onCall: RunOptions["onCall"] = ({ tool }) => tool.length;
      expect(jsonOf(await run(own().call("__search__", { query: "1" }), { onCall }))).toBe("10");
    });

    it(
      ["tool argument checks", "catching errors"],
      "refuse arguments that do not fit, with the signature",
      async () => {
        for (const [args, ...parts] of [
          [{ loction: "1" }, "loction", "location"],
          [{ units: "1" }, "location"],
        ] as const) {
          const collected = await run(caught("weather", args));
          const [type, message, tool, kind] = JSON.parse(jsonOf(collected) ?? "");
          expect([type, tool, kind]).toEqual(["ToolError", "weather", "invalid_arguments"]);
          for (const part of [...parts, "weather(location, units)"])
            expect(message).toContain(part);
          expect(collected.events.map((event) => event.type)).toEqual(["started", "ended"]);
        }
      },
    );

    it(
      "open calls at the end",
      "that are still open do not keep a program from its end",
      async () => {
        const answer = Promise.withResolvers<void>();
        const collected = await run(given(own().leftOpen), { onCall: () => answer.promise });
        expect(jsonOf(collected)).toBe("5");
        const types = collected.events.map((event) => event.type);
        expect(types).toEqual(["started", "tool_call", "ended"]);
        answer.resolve(); // comes after the end, without effect
        await answer.promise;
      },
    );

    it("tools", "take no answer after the end, and none twice", async () => {
      const program = toProgram(own().call("echo", { n: "1" }), { language, tools });
      const guest = subject.executor.run(program, new AbortController().signal);
      const events: GuestEvent[] = [];
      for await (const event of guest) {
        events.push(event);
        if (event.type !== "tool_call") continue;
        guest.deliver({ call: 1, resultJson: "1" });
        guest.deliver({ call: 1, resultJson: "2" });
      }
      guest.deliver({ call: 1, resultJson: "3" });
      guest.deliver({ call: 2, resultJson: "4" });
      expect(events.at(-1)).toMatchObject({ result: { value: { json: "1" } } });
      expect(events.map((event) => event.type)).toEqual(["started", "tool_call", "ended"]);
    });

    /** The JSON of a program whose calls are answered as they come. */
    async function answered(
      code: string,
      answer: (call: number) => Parameters<ReturnType<Executor["run"]>["deliver"]>[0],
    ): Promise<string | undefined> {
      const guest = subject.executor.run(
        toProgram(code, { language, tools }),
        new AbortController().signal,
      );
      for await (const event of guest) {
        if (event.type === "tool_call") guest.deliver(answer(event.call));
        if (event.type === "ended" && event.result.status === "completed")
          return event.result.value.json;
      }
      return undefined;
    }
  });
}
