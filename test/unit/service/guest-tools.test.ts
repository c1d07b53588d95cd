import { expect, it } from "vitest";
import { toGuestTool } from "../../../src/service/guest-tools.ts";
import { listTools, toolSchema } from "../../../src/tools/catalog.ts";
import { toolOf } from "../../support/requests.ts";

it("tells a guest how a tool is called, and nothing more", () => {
  const schema = {
    type: "object",
    properties: { location: { type: "string" }, days: { type: "integer", default: 1 } },
    required: ["location"],
    additionalProperties: false,
  };
  const tool = toolOf("weather", {
    description: "internal: see wiki",
    inputSchemaJson: JSON.stringify(schema),
    callForm: "async",
  });
  expect(toGuestTool(tool, "python")).toEqual({
    name: "weather",
    callForm: "async",
    signature: "weather(location: str, days: int = 1) -> Any",
    parameters: ["location", "days"],
    required: ["location"],
    nullWhenAbsent: [],
    absentWhenNull: ["days"],
  });
});

it("tells of a tool without a schema that it takes anything", () => {
  expect(toGuestTool(toolOf("log"), "python")).toMatchObject({
    parameters: undefined,
    required: [],
  });
});

it("reads the schemas of a tool once, however often a guest asks", () => {
  let reads = 0;
  const tool = toolOf("weather");
  Object.defineProperty(tool, "outputSchemaJson", {
    get() {
      reads += 1;
      return '{"type":"integer"}';
    },
  });
  expect(toGuestTool(tool, "python").signature).toBe("weather(**arguments) -> int");
  const first = reads;
  expect(listTools({ tools: [tool, tool], language: "python" })).toContain("-> int");
  expect(toGuestTool(tool, "python").signature).toContain("-> int");
  expect(reads).toBe(first);
  // The text itself is part of the answer.
  expect(toolSchema(tool, "python")).toContain("-> int");
  expect(reads).toBe(first + 1);
});

it.each(["javascript", "typescript"])(
  "tells a guest in %s how its language calls a tool",
  (language) => {
    const schema = {
      type: "object",
      properties: {
        location: { type: "string", description: "a city" },
        units: { enum: ["celsius", "kelvin"], default: "celsius" },
      },
      required: ["location"],
    };
    const tool = toolOf("weather", {
      inputSchemaJson: JSON.stringify(schema),
      outputSchemaJson: '{"type":"array","items":{"type":"integer"}}',
    });
    expect(toGuestTool(tool, language).signature).toBe(
      'weather({ location: string; units?: "celsius" | "kelvin" }): Promise<number[]>',
    );
    expect(toGuestTool(toolOf("log"), language).signature).toBe("log({ ... }): Promise<unknown>");
    expect(toGuestTool(toolOf("get-user"), language).signature).toBe(
      'tools["get-user"]({ ... }): Promise<unknown>',
    );
    expect(toGuestTool(tool, "python").signature).toMatch(/^weather\(location: str/);
  },
);

it("cuts a signature in TypeScript that no message could hold", () => {
  const properties = Object.fromEntries(
    Array.from({ length: 400 }, (_, index) => [`field_${index}`, { type: "string" }]),
  );
  const tool = toolOf("wide", { inputSchemaJson: JSON.stringify({ type: "object", properties }) });
  expect(toGuestTool(tool, "typescript").signature).toBe("wide(unknown): Promise<unknown>");
});
