import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toResult } from "../../../src/sdk/result.ts";
import { ExecutionFailed, unwrap } from "../../../src/sdk/unwrap.ts";
import type { ProgramResult } from "../../../src/shared/model.ts";
import { outcomeOf, success } from "../../sdk/support/messages.ts";

const head = {
  stdout: "out",
  stderr: "",
  stdoutOmittedBytes: 0,
  stderrOmittedBytes: 0,
  executionId: "e1",
  correlationId: "c1",
};
const resultOf = (result: ProgramResult) => toResult(outcomeOf(result), head, undefined);

const raised: ProgramResult = {
  status: "failed",
  error: {
    reason: "exception",
    type: "ZeroDivisionError",
    message: "division by zero",
    traceback: "Traceback",
    line: 3,
  },
};

describe("toResult", () => {
  it.each([
    ["4", 4],
    ["9007199254740993", 9007199254740993n],
    ["[1.5, null, true]", [1.5, null, true]],
    ['{"é": "ü"}', { é: "ü" }],
  ])("gives the value of %s exactly", async (json, value) => {
    const result = await resultOf(success(json));
    expect(result).toMatchObject({ status: "completed", text: json, type: "int", ...head });
    expect(unwrap(result)).toEqual(value);
  });

  it("leaves value undefined where the result is not JSON, and always has the text", async () => {
    const result = await resultOf(success(undefined, "2026-01-01", "date"));
    expect(result).toMatchObject({ status: "completed", text: "2026-01-01", type: "date" });
    expect(unwrap(result)).toBeUndefined();
  });

  it("says so when the JSON is not exact", async () => {
    const result = await resultOf(success("1e999", "inf"));
    expect(result).toMatchObject({ status: "completed", value: undefined, text: "inf" });
    expect(result.warnings).toEqual([expect.stringContaining("out of range")]);
  });

  it("passes a failure through, with everything that is known of the run", async () => {
    expect(await resultOf(raised)).toEqual({
      ...head,
      ...outcomeOf(raised),
    });
  });
});

describe("an output schema", () => {
  const schema = z.object({ items: z.array(z.object({ id: z.number() })) });

  it("gives back the schema's own value", async () => {
    const outcome = outcomeOf(success('"2026-01-01T00:00:00Z"'));
    const result = await toResult(outcome, head, z.coerce.date());
    expect(unwrap(result)).toEqual(new Date("2026-01-01T00:00:00Z"));
  });

  it("fails a value that does not fit, naming the path", async () => {
    const outcome = outcomeOf(success('{"items": [{"id": 1}, {"id": "two"}]}'));
    const result = await toResult(outcome, head, schema);
    expect(result).toMatchObject({
      status: "failed",
      error: { reason: "invalid_output", message: expect.stringMatching(/^\$\.items\[1\]\.id: /) },
      stdout: "out",
      usage: outcome.usage,
    });
  });

  it("fails a value that is not JSON unless the schema takes undefined", async () => {
    const outcome = outcomeOf(success(undefined, "<object>"));
    expect(await toResult(outcome, head, z.string())).toMatchObject({ status: "failed" });
    expect(await toResult(outcome, head, z.undefined())).toMatchObject({ status: "completed" });
  });

  it("may be asynchronous", async () => {
    const even = z.number().refine(async (value) => value % 2 === 0, "not even");
    expect(await toResult(outcomeOf(success("4")), head, even)).toMatchObject({ value: 4 });
    expect(await toResult(outcomeOf(success("5")), head, even)).toMatchObject({
      error: { message: "$: not even" },
    });
  });

  it("names a few faults and counts the others", async () => {
    const outcome = outcomeOf(success('["a","b","c","d","e","f","g"]'));
    const result = await toResult(outcome, head, z.array(z.number()));
    const message = result.status === "failed" ? result.error.message : "";
    expect(message).toMatch(/^\$\[0\]: .*\$\[4\]: .*; and 2 more$/);
  });

  it("is not asked about a program that failed", async () => {
    expect(await toResult(outcomeOf(raised), head, schema)).toMatchObject({
      error: { reason: "exception" },
    });
  });
});

describe("unwrap", () => {
  it("throws an ExecutionFailed that says what happened and carries the result", async () => {
    const result = await resultOf(raised);
    const error = await Promise.resolve()
      .then(() => unwrap(result))
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ExecutionFailed);
    expect(ExecutionFailed.is(error)).toBe(true);
    expect(ExecutionFailed.is(new Error("other"))).toBe(false);
    expect(error).toMatchObject({
      message: "exception: ZeroDivisionError: division by zero (line 3)",
      reason: "exception",
      result,
    });
  });
});
