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
  expect(toGuestTool(tool)).toEqual({
    name: "weather",
    callForm: "async",
    signature: "weather(location: str, days: int = 1) -> Any",
    parameters: ["location", "days"],
    required: ["location"],
  });
});

it("tells of a tool without a schema that it takes anything", () => {
  expect(toGuestTool(toolOf("log"))).toMatchObject({ parameters: undefined, required: [] });
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
  expect(toGuestTool(tool).signature).toBe("weather(**arguments) -> int");
  const first = reads;
  expect(listTools([tool, tool])).toContain("-> int");
  expect(toGuestTool(tool).signature).toContain("-> int");
  expect(reads).toBe(first);
  // The text itself is part of the answer.
  expect(toolSchema(tool)).toContain("-> int");
  expect(reads).toBe(first + 1);
});
