import type { StandardSchemaV1 } from "@standard-schema/spec";
import { describe, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  Codemode,
  type ContextVariables,
  defineTool,
  type JsonObject,
  type StreamEvent,
  serveTools,
  type Tool,
  type ToolInfo,
  ToolRegistry,
} from "../../src/index.ts";

const codemode = Codemode.connect({ url: "http://127.0.0.1:8001" });
const inputSchema = z.object({ at: z.coerce.date(), units: z.enum(["c", "f"]).default("c") });
const outputSchema = z.object({ sky: z.enum(["blue", "grey"]), kmh: z.number().default(0) });

describe("defineTool", () => {
  it("gives the handler the output of the input schema, and takes the input of the output schema", () => {
    const tool = defineTool({
      name: "weather",
      description: "d",
      inputSchema,
      outputSchema,
      async execute(input, info) {
        expectTypeOf(input).toEqualTypeOf<{ at: Date; units: "c" | "f" }>();
        expectTypeOf(info).toEqualTypeOf<ToolInfo>();
        expectTypeOf(info.context).toEqualTypeOf<ContextVariables>();
        expectTypeOf(info.signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(info.callId).toEqualTypeOf<string>();
        return { sky: "blue" };
      },
    });
    expectTypeOf(tool).toEqualTypeOf<
      Tool<{ at: Date; units: "c" | "f" }, { sky: "blue" | "grey"; kmh?: number | undefined }>
    >();
  });

  it("takes synchronous handlers, and any value without an output schema", () => {
    defineTool({ name: "a", description: "d", inputSchema, execute: ({ units }) => [units] });
    defineTool({
      name: "a",
      description: "d",
      inputSchema,
      outputSchema,
      execute: (input) => ({ sky: input.units === "c" ? "grey" : "blue" }),
    });
  });

  it("refuses a handler whose result or input does not fit", () => {
    defineTool({
      name: "a",
      description: "d",
      inputSchema,
      outputSchema,
      // @ts-expect-error no such sky
      execute: async (input) => ({ sky: "green", kmh: input.at.getTime() }),
    });
    // @ts-expect-error the input has no such member
    defineTool({ name: "a", description: "d", inputSchema, execute: ({ nothing }) => nothing });
    // @ts-expect-error no description
    defineTool({ name: "a", execute: () => 1 });
    // @ts-expect-error no handler
    defineTool({ name: "a", description: "d", inputSchema });
  });

  it("takes a bare function, whose input is what it says", () => {
    defineTool({
      name: "a",
      description: "d",
      execute: async (input) => expectTypeOf(input).toEqualTypeOf<JsonObject>(),
    });
    interface Point {
      readonly x: number;
      readonly y?: number;
    }
    const tool = defineTool({
      name: "a",
      description: "d",
      execute: async (point: Point) => point.x,
    });
    expectTypeOf(tool).toEqualTypeOf<Tool<Point, unknown>>();
  });

  it("takes any Standard Schema, and JSON Schema as an object", () => {
    const own = {} as StandardSchemaV1<string, { n: number }>;
    defineTool({
      name: "a",
      description: "d",
      inputSchema: own,
      execute: (input) => expectTypeOf(input).toEqualTypeOf<{ n: number }>(),
    });
    defineTool({
      name: "a",
      description: "d",
      inputSchema: { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
      execute: (input) => expectTypeOf(input).toEqualTypeOf<JsonObject>(),
    });
  });
});

describe("tools", () => {
  const one = defineTool({ name: "one", description: "d", inputSchema, execute: () => 1 });
  const two = defineTool({
    name: "two",
    description: "d",
    execute: (input: { a: string }) => input.a,
  });
  // As the AI SDK's `tool()` types it.
  const ai = {
    description: "d",
    inputSchema,
    execute: async (
      input: { at: Date },
      options: { toolCallId: string; abortSignal?: AbortSignal },
    ) => [input.at, options.toolCallId],
  };

  it("go into a registry and a request, with different inputs in one list", () => {
    codemode.registry.register(one).register([one, two], { overwrite: true }).register({ ai });
    codemode.execute("x", { tools: [one, two, "three"] });
    codemode.stream({ code: "x", tools: { ai }, toolServices: ["default"], payloads: "small" });
    serveTools(codemode.registry, { port: 0, apiKey: "k" });
    serveTools([one, two], { port: 0, apiKey: "k" });
    serveTools({ ai }, { port: 0, apiKey: "k" });
    expectTypeOf(codemode.registry).toEqualTypeOf<ToolRegistry>();
    // @ts-expect-error a tool in a list has a name
    codemode.execute("x", { tools: [ai] });
    // @ts-expect-error a registry has no names to be selected from yet
    new ToolRegistry().register(["one"]);
    // @ts-expect-error a key is needed
    serveTools([one], { port: 0 });
    // @ts-expect-error no such view
    codemode.execute("x", { payloads: "none" });
  });

  it("show in events", async () => {
    for await (const event of codemode.stream("x") as AsyncIterable<StreamEvent>) {
      if (event.type === "tool_call") {
        expectTypeOf(event.argumentsJson).toEqualTypeOf<string>();
        expectTypeOf(event.argumentsOmitted).toEqualTypeOf<boolean | undefined>();
      }
      if (event.type === "tool_result" && "error" in event) {
        expectTypeOf(event.error.message).toEqualTypeOf<string>();
      }
    }
  });

  it("are described as text", () => {
    expectTypeOf(
      codemode.describeTools({ language: "typescript" }),
    ).resolves.toEqualTypeOf<string>();
    expectTypeOf(codemode.toolPrompt()).resolves.toEqualTypeOf<string>();
    // @ts-expect-error no such language
    codemode.describeTools({ language: "ruby" });
  });
});
