import { describe, expect, it } from "vitest";
import { defineTool } from "../../../src/index.ts";

const thrown = (fn: () => unknown) => {
  try {
    fn();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
};

describe("defineTool", () => {
  it("gives back the tool as it was written", () => {
    const definition = { name: "a", description: "b", execute: () => 1 };
    expect(defineTool(definition)).toBe(definition);
  });

  it.each<[string, object, string]>([
    ["no name", { name: "" }, "name: expected 1 to 128 characters"],
    ["a long name", { name: "x".repeat(129) }, "name: expected 1 to 128 characters"],
    ["a name of the service's", { name: "__list__" }, 'names that begin with "__"'],
    ["a name with a control character", { name: "a\u0007b" }, "name: the text has a control"],
    ["a description that is none", { description: 7 }, "description: expected text"],
    [
      "a tool that wants approval",
      { needsApproval: true },
      "needsApproval: the tool wants a person's",
    ],
    ["a tool that may want approval", { needsApproval: () => false }, "nobody can be asked yet"],
    ["a tool that wants it in another's words", { requireApproval: true }, "requireApproval: the"],
    ["no handler", { execute: undefined }, "execute: expected a function"],
    ["a schema that is none", { inputSchema: 7 }, "inputSchema: expected a Standard Schema"],
    [
      "a schema that cannot be checked to the letter",
      { outputSchema: { $ref: "https://example.com/" } },
      'outputSchema: $ref "https://example.com/" is of nothing in this schema',
    ],
  ])("refuses %s, and names it", (_title, fault, message) => {
    const definition = { name: "a", description: "b", execute: () => 1, ...fault };
    expect(thrown(() => defineTool(definition))).toMatchObject({
      kind: "invalid_request",
      message: expect.stringContaining(message),
    });
  });

  it("names every fault at once", () => {
    const definition = { name: "", description: 5, execute: () => 1 } as never;
    expect(thrown(() => defineTool(definition))).toMatchObject({
      violations: [{ field: 'tools[""].name' }, { field: 'tools[""].description' }],
    });
  });
});
