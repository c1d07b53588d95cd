import { describe, expect } from "vitest";
import { beyondValues, exactValues } from "./kinds.ts";
import { failureOf, given, jsonOf, programValue, type Subject } from "./subject.ts";

/** What programs give, and how they fail. */
export function describeOutcomes(subject: Subject): void {
  const { programs, run, rows, it } = subject;
  const { give } = programs;

  describe("values", () => {
    for (const { kind, json, needs } of rows(exactValues)) {
      it(needs, `gives ${kind} exactly`, async () => {
        expect(jsonOf(await run(give(given(programs.exact[kind]))))).toBe(json);
      });
    }

    for (const { kind, nullAs } of rows(beyondValues)) {
      const what = nullAs === undefined ? "text only" : "null";
      it("values beyond JSON", `gives ${what} for ${kind}, and says so`, async () => {
        const collected = await run(give(given(programs.beyond[kind])));
        expect(jsonOf(collected)).toBe(nullAs && "null");
        const value = programValue(collected);
        if (nullAs === undefined) expect(value.notes).toEqual([expect.stringContaining("no JSON")]);
        else expect(value.conversions[0]?.type.toLowerCase()).toContain(nullAs);
        expect(collected.result).toHaveProperty("value.text", expect.stringMatching(/./s));
        expect(collected.result).toHaveProperty("value.type", expect.stringMatching(/./));
      });
    }

    for (const { imports, value, json, converted } of programs.conversions) {
      it("values beyond JSON", `gives ${json} for ${value}, and says so`, async () => {
        const collected = await run(`${imports}\n${give(value)}`);
        expect(jsonOf(collected)).toBe(json);
        const places = programValue(collected).conversions.map(
          ({ path, type }) => `${path} ${type}`,
        );
        expect(places).toEqual(converted);
      });
    }

    for (const {
      title,
      code,
      json,
      text,
      type,
      note,
      stdout,
      stderr,
      limits,
      needs,
    } of programs.values) {
      it(needs, title, async () => {
        const collected = await run(code, limits ? { limits } : {});
        if (stdout !== undefined) expect(collected.stdout).toBe(stdout);
        if (stderr !== undefined) expect(collected.stderr).toBe(stderr);
        expect(jsonOf(collected)).toBe(json);
        if (note !== undefined) expect(collected.result).toHaveProperty("value.notes", [note]);
        if (text !== undefined) expect(collected.result).toHaveProperty("value.text", text);
        if (type !== undefined) expect(collected.result).toHaveProperty("value.type", type);
      });
    }

    it("text", "may be one MiB of JSON, and not a byte more", async () => {
      const longText = given(programs.longText);
      expect(jsonOf(await run(give(longText(2 ** 20 - 2))))).toHaveLength(2 ** 20);
      const error = failureOf(await run(give(longText(2 ** 20 - 1))));
      expect(error).toMatchObject({ reason: "exception", type: "ResultTooLarge" });
      expect(error.message).toContain("1048577 bytes");
    });

    it(undefined, "takes a program of one MiB", async () => {
      const { idleLine } = programs;
      const code = idleLine.repeat(Math.floor((1024 * 1024) / idleLine.length));
      expect((await run(code)).result).toMatchObject({ status: "completed" });
    });
  });

  describe("failures", () => {
    it(undefined, "says type, message and line of an exception, within a function", async () => {
      const { code, type, message } = programs.raises;
      const error = failureOf(await run(code));
      expect(error).toMatchObject({ reason: "exception", type, message, line: 3 });
      expect(error.traceback).toContain(message);
    });

    it(undefined, "says the line of a syntax error, and runs nothing", async () => {
      const { code, type } = programs.badSyntax;
      const collected = await run(code);
      expect(failureOf(collected)).toMatchObject({ reason: "syntax", type, line: 2 });
      expect(collected.events.map((event) => event.type)).toEqual(["started", "ended"]);
    });

    it(undefined, "says the line of a syntax error far down", async () => {
      const code = programs.idleLine.repeat(5_000) + programs.badSyntax.code;
      expect(failureOf(await run(code))).toMatchObject({ reason: "syntax", line: 5_002 });
    });

    it(undefined, "says the line of an exception far down", async () => {
      const code = programs.idleLine.repeat(5_000) + programs.raises.code;
      expect(failureOf(await run(code))).toMatchObject({ reason: "exception", line: 5_003 });
    });

    it("crash", "says of a guest that ends without a result that it crashed", async () => {
      const error = failureOf(await run(given(programs.crash)));
      expect(error).toMatchObject({ reason: "crashed", line: 0, traceback: "" });
      expect(error.message).not.toBe("");
    });

    it("recursion", "takes endless recursion as an exception of the program's", async () => {
      const { code, type } = given(programs.recursion);
      const error = failureOf(await run(code));
      expect(error.reason).toBe("exception");
      if (type !== undefined) expect(error.type).toBe(type);
      expect(jsonOf(await run(give("1")))).toBe("1");
    });

    for (const {
      title,
      code,
      reason,
      type,
      message,
      line,
      traceback,
      limits,
      needs,
    } of programs.failures) {
      it(needs, title, async () => {
        const error = failureOf(await run(code, limits ? { limits } : {}));
        expect(error.reason).toBe(reason);
        if (type !== undefined) expect(error.type).toBe(type);
        if (message !== undefined) expect(error.message).toContain(message);
        if (line !== undefined) expect(error.line).toBe(line);
        if (traceback !== undefined) expect(error.traceback).toContain(traceback);
      });
    }
  });
}
