import { describe, expect } from "vitest";
import type { RunOptions } from "../../support/programs.ts";
import type { BeyondKind } from "../programs/programs.ts";
import { beyondValues, exactValues, nestedArrays } from "./kinds.ts";
import { given, jsonOf, type Subject } from "./subject.ts";

const tools = [{ name: "echo" }];

/** What crosses between programs and tools: exactly, or not at all. */
export function describeToolValues(subject: Subject): void {
  const { programs, rows, it } = subject;
  const own = () => given(programs.tools);
  const run = (code: string, options: RunOptions = {}) => subject.run(code, { tools, ...options });
  const beyond = (kind: BeyondKind) => given(programs.beyond[kind]);

  describe("values of tools", () => {
    for (const { kind, json, needs } of rows(exactValues)) {
      // As an argument a value is one level further down.
      if (kind === "64 levels") continue;
      it(
        needs === undefined ? "tools" : ["tools", needs],
        `cross exactly both ways: ${kind}`,
        async () => {
          const seen: string[] = [];
          const onCall: RunOptions["onCall"] = ({ argumentsJson }, { v }) => {
            seen.push(argumentsJson);
            return v;
          };
          const code = own().call("echo", { v: given(programs.exact[kind]) });
          const result = jsonOf(await run(code, { onCall }));
          expect(seen).toEqual([`{"v":${json}}`]);
          expect(result).toBe(json);
        },
      );
    }

    it(["tools", "containers"], "cross 64 levels deep in an answer", async () => {
      const deep = JSON.parse(nestedArrays(64));
      const result = jsonOf(await run(own().call("echo", {}), { onCall: () => deep }));
      expect(result).toBe(nestedArrays(64));
    });

    for (const { kind, place } of rows(beyondValues)) {
      it(
        ["tools", "catching errors", "values beyond JSON"],
        `are refused where JSON cannot hold them, with the place: ${kind}`,
        async () => {
          const collected = await run(given(own().caught)("echo", { v: beyond(kind) }));
          const [type, message, tool, error] = JSON.parse(jsonOf(collected) ?? "");
          expect([type, tool, error]).toEqual(["ToolError", "echo", "invalid_arguments"]);
          expect(message).toContain(`echo: arguments: ${place}`);
          expect(collected.events.map((event) => event.type)).toEqual(["started", "ended"]);
        },
      );
    }

    it(
      ["tools", "values beyond JSON"],
      "are converted as arguments as they are in results",
      async () => {
        const { conversions } = programs;
        const seen: string[] = [];
        const onCall: RunOptions["onCall"] = ({ argumentsJson }) => {
          seen.push(argumentsJson);
          return null;
        };
        const values = conversions.map(({ value }) => value).join(", ");
        const code = own().call("echo", { v: `[${values}]` });
        await run(`${conversions[0]?.imports}\n${code}`, { onCall });
        expect(seen).toEqual([`{"v":[${conversions.map(({ json }) => json).join(",")}]}`]);
      },
    );

    it(["tools", "text"], "may be 2 MiB of JSON as an answer", async () => {
      const onCall = () => "é".repeat(2 ** 20 - 1);
      const result = jsonOf(await run(given(own().lengthOfAnswer), { onCall }));
      expect(result).toBe(String(2 ** 20 - 1));
    });

    it(
      ["tools", "text", "catching errors"],
      "may be 2 MiB of JSON as arguments, no byte more",
      async () => {
        // {"v":"..."} is eight bytes around the text.
        const length = 2 ** 21 - 8;
        const call = (text: string) => given(own().caught)("echo", { v: text });
        const onCall: RunOptions["onCall"] = (_call, { v }) => String(v).length;
        const longest = given(programs.longText);
        expect(jsonOf(await run(call(longest(length)), { onCall }))).toBe(`["ok",${length}]`);
        expect(JSON.parse(jsonOf(await run(call(longest(length + 1)))) ?? "")).toEqual([
          "ToolError",
          "echo: the arguments are 2097153 bytes of JSON, at most 2097152 are taken",
          "echo",
          "invalid_arguments",
        ]);
      },
    );

    it(
      ["tools", "containers", "catching errors"],
      "may be 250,000 of them, not one more",
      async () => {
        // The object, the array and its items; each container counts twice.
        const zeros = given(programs.zeros);
        const call = (count: number) => given(own().caught)("echo", { v: zeros(count) });
        expect(jsonOf(await run(call(249_996), { onCall: () => null }))).toBe('["ok",null]');
        expect(JSON.parse(jsonOf(await run(call(249_997))) ?? "")[1]).toBe(
          "echo: arguments: $.v: more than 250000 values",
        );
      },
    );
  });
}
