import { describe, expect, it } from "vitest";
import * as z from "zod";
import { runnableTool } from "../../../src/sdk/runnable-tool.ts";
import type { ToolInfo, ToolLike } from "../../../src/sdk/tool.ts";

const info: ToolInfo = {
  context: { client_id: "acme" },
  signal: new AbortController().signal,
  executionId: "e-1",
  callId: "c-1",
  correlationId: "k-1",
};
const run = (tool: ToolLike, input: unknown = {}) =>
  runnableTool("t", tool).run(JSON.stringify(input), info, 2 ** 20);
const declare = (tool: ToolLike) => runnableTool("t", tool).declare();
/** What the AI SDK's `jsonSchema()` gives. */
const aiSchema = (jsonSchema: unknown, validate?: unknown) => ({
  [Symbol.for("vercel.ai.schema")]: true,
  _type: undefined,
  jsonSchema,
  validate,
});

const place = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

/** A schema of a library of its own: text that looks like a number, as one. */
const standard = {
  "~standard": {
    version: 1 as const,
    vendor: "mine",
    validate: async (value: unknown) => {
      const { n } = value as { n: unknown };
      if (typeof n === "string" && /^\d+$/.test(n)) return { value: { n: Number(n) } };
      return { issues: [{ message: "expected digits", path: [{ key: "n" }] }] };
    },
    types: undefined as { input: { n: string }; output: { n: number } } | undefined,
    jsonSchema: { input: () => ({ type: "object" }), output: () => ({ type: "object" }) },
  },
};

describe("a tool's declaration", () => {
  it("has a description that is cut where it is too long, with a mark", async () => {
    const { description } = await declare({ description: "é".repeat(2049), execute: () => 1 });
    expect(description).toBe(`${"é".repeat(2046)}…`);
    const short = { description: "é".repeat(2048), execute: () => 1, needsApproval: false };
    expect((await declare(short)).description).toBe("é".repeat(2048));
  });

  it("tells the sides of its schemas that the program sees", async () => {
    const tool = {
      description: "d",
      inputSchema: z.object({ units: z.enum(["c", "f"]).default("c"), at: z.coerce.date() }),
      outputSchema: z.object({ when: z.date(), count: z.bigint() }),
      execute: () => undefined,
    };
    const { inputSchemaJson, outputSchemaJson } = await declare(tool);
    expect(JSON.parse(inputSchemaJson)).toMatchObject({
      properties: { units: { enum: ["c", "f"], default: "c" }, at: { type: "string" } },
      required: ["at"],
    });
    expect(JSON.parse(outputSchemaJson).properties).toEqual({
      when: { type: "string", format: "date-time" },
      count: { type: "integer" },
    });
  });

  it.each([
    [undefined, "auto"],
    [true, "async"],
    [false, "sync"],
  ])("tells isAsync %s as the form %s", async (isAsync, callForm) => {
    const tool = { description: "d", execute: () => 1, isAsync, readOnly: true, idempotent: true };
    expect(await declare(tool)).toMatchObject({ callForm, readOnly: true, idempotent: true });
  });

  it("tells what a library tells of its schema", async () => {
    expect(await declare({ inputSchema: standard, execute: () => 1 })).toMatchObject({
      inputSchemaJson: '{"type":"object"}',
    });
  });
});

describe("input and output", () => {
  it("are checked by their schemas; defaults and coercions apply before the handler", async () => {
    let got: unknown;
    const tool = {
      inputSchema: z.object({ city: z.string(), days: z.coerce.number().default(3) }),
      outputSchema: z.object({ text: z.string().trim(), more: z.boolean().default(false) }),
      execute: (input: unknown) => {
        got = input;
        return { text: " fine ", extra: 1 };
      },
    };
    expect(await run(tool, { city: "Bonn" })).toEqual({
      resultJson: '{"text":"fine","more":false}',
    });
    expect(got).toEqual({ city: "Bonn", days: 3 });
    await run(tool, { city: "Bonn", days: "7" });
    expect(got).toEqual({ city: "Bonn", days: 7 });
  });

  it("are checked by any Standard Schema", async () => {
    const tool = { inputSchema: standard, execute: ({ n }: { n: number }) => n + 1 };
    expect(await run(tool, { n: "41" })).toEqual({ resultJson: "42" });
    expect(await run(tool, { n: "x" })).toMatchObject({
      error: { kind: "invalid_arguments", message: "invalid arguments: $.n: expected digits" },
    });
  });

  it("may be the AI SDK's: jsonSchema() with and without validate, lazy, promised", async () => {
    const validate = async (value: unknown) =>
      typeof (value as { city: unknown }).city === "string"
        ? { success: true, value: { city: "checked" } }
        : { success: false, error: new Error("city is missing") };
    const execute = ({ city }: { city: string }) => city;
    const checked = { inputSchema: aiSchema(place, validate), execute };
    expect(await run(checked, { city: "Bonn" })).toEqual({ resultJson: '"checked"' });
    expect(await run(checked)).toMatchObject({
      error: { message: "invalid arguments: $: city is missing" },
    });
    for (const inputSchema of [
      aiSchema(place),
      aiSchema(Promise.resolve(place)),
      () => aiSchema(place),
    ]) {
      const tool = { inputSchema, execute };
      expect(JSON.parse((await declare(tool)).inputSchemaJson)).toEqual(place);
      expect(await run(tool, { city: "Bonn" })).toEqual({ resultJson: '"Bonn"' });
      expect(await run(tool)).toMatchObject({
        error: { message: expect.stringContaining("$.city: it is required") },
      });
    }
  });

  it("that comes as a promise and is no schema fails the request, not the process", async () => {
    const tool = { inputSchema: aiSchema(Promise.reject(new Error("gone"))), execute: () => 1 };
    await expect(declare(tool)).rejects.toMatchObject({
      kind: "invalid_request",
      message: 'the tool "t": schema: gone',
    });
  });

  it("need no schema: any object, any value", async () => {
    const tool = { execute: (input: unknown) => input };
    expect(await run(tool, { a: [1] })).toEqual({ resultJson: '{"a":[1]}' });
  });

  it("of a bigint takes small integers and large ones", async () => {
    const inputSchema = z.object({ ids: z.array(z.bigint()), more: z.bigint().optional() });
    const tool = { inputSchema, execute: ({ ids }: { ids: bigint[] }) => ids.map((id) => id + 1n) };
    const answer = await runnableTool("t", tool).run(
      '{"ids":[1,9007199254740993],"more":2}',
      info,
      1000,
    );
    expect(answer).toEqual({ resultJson: "[2,9007199254740994]" });
    expect(await run(tool, { ids: [1.5] })).toMatchObject({
      error: { message: expect.stringContaining("$.ids[0]: Invalid input: expected bigint") },
    });
  });
});

describe("a violation", () => {
  const inputSchema = z.object({
    units: z.enum(["celsius", "fahrenheit"]),
    where: z.union([z.string(), z.object({ lat: z.number() })]),
    list: z.array(z.object({ id: z.int() })),
  });
  it.each([
    [{ units: "kelvin" }, '$.units: Invalid option: expected one of "celsius"|"fahrenheit"'],
    [{ list: [{ id: 1 }, { id: "x" }] }, "$.list[1].id: Invalid input: expected number"],
    [{ list: undefined }, "$.list: Invalid input: expected array, received undefined"],
    [{ where: 5 }, "expected string, received number, or Invalid input: expected object"],
  ])("names the path and what was expected (case %#)", async (fault, message) => {
    const good = { units: "celsius", where: "here", list: [] };
    const answer = await run({ inputSchema, execute: () => 1 }, { ...good, ...fault });
    expect(answer).toMatchObject({
      error: { kind: "invalid_arguments", message: expect.stringContaining(message), type: "" },
    });
  });

  it("of the result is one too, and the handler has run", async () => {
    const tool = { outputSchema: z.object({ n: z.number() }), execute: () => ({ n: "x" }) };
    expect(await run(tool)).toEqual({
      error: {
        kind: "invalid_result",
        type: "",
        message: "invalid result: $.n: Invalid input: expected number, received string",
      },
    });
  });
});

describe("a handler", () => {
  it("is told of its execution, in our words and the AI SDK's", async () => {
    let got: unknown;
    await run({
      execute: (_input: unknown, options: unknown) => {
        got = options;
      },
    });
    expect(got).toEqual({
      ...info,
      toolCallId: "c-1",
      abortSignal: info.signal,
      experimental_context: info.context,
      messages: [],
    });
  });

  it("keeps its own this, and may be a generator, whose last value counts", async () => {
    class Counter {
      #count = 6;
      async *execute() {
        yield "preliminary";
        yield this.#count + 1;
      }
    }
    expect(await run(new Counter())).toEqual({ resultJson: "7" });
  });

  class NotFound extends Error {}
  const deep = new RangeError("too far", { cause: new Error("secret cause") });
  it.each<[string, unknown, string, string]>([
    ["an error", deep, "RangeError", "too far"],
    ["an error of a class", new NotFound("no such city"), "NotFound", "no such city"],
    ["text", "plain", "", "plain"],
    ["an error without a message", new NotFound(), "NotFound", "NotFound"],
    ["an object", { message: "half an error", stack: "secret" }, "", "half an error"],
    [
      "an object like an error",
      { name: "HttpError", message: "gone", code: "E_GONE", status: 410, body: "secret" },
      "HttpError",
      "HttpError: gone (code E_GONE, status 410)",
    ],
    ["an object with a code alone", { code: 7, name: { secret: 1 } }, "", "code 7"],
    ["nothing", undefined, "", "undefined"],
    ["something", { secret: 1 }, "", "the tool threw something that is no error"],
  ])("that throws %s fails with its message and type, never its stack", async (...row) => {
    const [, error, type, message] = row;
    const answer = await run({
      execute: () => {
        throw error;
      },
    });
    expect(answer).toEqual({ error: { kind: "exception", type, message } });
    expect(JSON.stringify(answer)).not.toMatch(/secret|\.ts:|\\n/);
  });

  it("may fail at length: its message is cut to 8192 bytes", async () => {
    const execute = () => {
      throw new Error("é".repeat(10_000));
    };
    expect(await run({ execute })).toHaveProperty("error.message", "é".repeat(4096));
  });
});
