import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { pythonSignature } from "../../../src/shared/schema/python.ts";
import { pythonStub } from "../../../src/shared/schema/python-stubs.ts";
import { typescriptMember } from "../../../src/shared/schema/typescript.ts";

const text = (schema: z.ZodType, io: "input" | "output" = "input") =>
  JSON.stringify(z.toJSONSchema(schema, { io }));
const tool = (name: string, input = "", output = "", description = "") => ({
  name,
  description,
  inputSchemaJson: input,
  outputSchemaJson: output,
  callForm: "auto" as const,
  readOnly: false,
  idempotent: false,
});
const json = (schema: unknown) => JSON.stringify(schema);

interface Tree {
  readonly label: string;
  readonly kids: readonly Tree[];
}
const tree: z.ZodType<Tree> = z.object({
  label: z.string(),
  get kids() {
    return z.array(tree);
  },
});

const weather = tool(
  "weather",
  text(
    z.object({
      units: z.enum(["celsius", "fahrenheit"]).default("celsius").describe("Scale of the answer"),
      location: z.string().describe("City, as people\n write it"),
    }),
  ),
  text(
    z.object({ temperature: z.number(), wind: z.object({ kmh: z.int() }).optional() }),
    "output",
  ),
  "Current weather of a city.",
);

describe("pythonSignature", () => {
  it("is one line with types and defaults", () => {
    expect(pythonSignature(weather)).toBe(
      "weather(location: str, units: Literal['celsius', 'fahrenheit'] = 'celsius') -> dict",
    );
  });

  it("names a tool as it can be called", () => {
    expect(pythonSignature(tool("get-user's"))).toBe(
      "tools['get-user\\'s'].run(**arguments) -> Any",
    );
    expect(pythonSignature(tool("import"))).toMatch(/^tools\['import'\]\.run/);
  });

  it.each<[unknown, string]>([
    [{ type: "integer" }, "int"],
    [{ type: "number" }, "float"],
    [{ type: ["string", "null"] }, "str | None"],
    [{ type: "array", items: { type: "boolean" } }, "list[bool]"],
    [{ type: "array" }, "list[Any]"],
    [{ type: "array", prefixItems: [{ type: "string" }, { type: "integer" }] }, "list[str | int]"],
    [{ enum: ["it's", 2, null, true] }, "Literal['it\\'s', 2, True] | None"],
    [{ const: 1.5 }, "float"],
    [{ anyOf: [{ type: "string" }, { type: "string" }, { type: "null" }] }, "str | None"],
    [{ anyOf: [{ type: "string" }, {}] }, "Any"],
    [{ type: "object", additionalProperties: { type: "integer" } }, "dict[str, int]"],
    [{ type: "object", properties: { a: {} } }, "dict"],
    [{ type: "string", nullable: true }, "str | None"],
    [{ $ref: "#/$defs/a%2Fb~1c", $defs: { "a/b/c": { type: "string" } } }, "str"],
    [{ $ref: "#/$defs/none" }, "Any"],
    [{ $ref: "https://example.com/x" }, "Any"],
    [{ allOf: [{ type: "string" }, {}] }, "str"],
    [true, "Any"],
    [false, "Never"],
  ])("writes %j as %s", (schema, type) => {
    expect(pythonSignature(tool("t", "", json(schema)))).toBe(`t(**arguments) -> ${type}`);
  });

  it("writes defaults as Python", () => {
    const schema = text(
      z.object({
        a: z.boolean().default(true),
        b: z.array(z.string()).default(["x", 'y"']),
        c: z.null().default(null),
        d: z.record(z.string(), z.number()).default({ k: -1.5 }),
      }),
    );
    expect(pythonSignature(tool("t", schema))).toBe(
      `t(a: bool = True, b: list[str] = ['x', 'y"'], c: None = None, d: dict[str, float] = {'k': -1.5}) -> Any`,
    );
  });

  it("ends for schemas that contain themselves or would grow without end", () => {
    expect(pythonSignature(tool("t", "", text(tree, "output")))).toBe("t(**arguments) -> dict");
    const self = {
      $ref: "#/$defs/A",
      $defs: { A: { type: "array", items: { $ref: "#/$defs/A" } } },
    };
    expect(pythonSignature(tool("t", "", json(self)))).toBe("t(**arguments) -> list[Any]");
    const ring = {
      $ref: "#/$defs/A",
      $defs: { A: { $ref: "#/$defs/B" }, B: { $ref: "#/$defs/A" } },
    };
    expect(pythonSignature(tool("t", "", json(ring)))).toBe("t(**arguments) -> Any");
    const $defs = Object.fromEntries(
      Array.from({ length: 5_000 }, (_, index) => [
        `d${index}`,
        {
          anyOf: [
            { type: "array", items: { $ref: `#/$defs/d${index + 1}` } },
            { $ref: `#/$defs/d${index + 1}` },
          ],
        },
      ]),
    );
    const doubling = json({ $ref: "#/$defs/d0", $defs });
    expect(pythonSignature(tool("t", "", doubling)).length).toBeLessThan(1_000);
    expect(typescriptMember(tool("t", "", doubling)).member.length).toBeLessThan(10_000);
  });

  it("refuses text that is not JSON", () => {
    expect(() => pythonSignature(tool("t", "{"))).toThrow("not JSON");
  });
});

describe("pythonStub", () => {
  it.each([
    ["import", "# tools['import'].run(...)\ndef import_(**arguments: Any) -> Any: ..."],
    ["None", "# tools['None'].run(...)\ndef None_(**arguments: Any) -> Any: ..."],
    ["2-b", "# tools['2-b'].run(...)\ndef _2_b(**arguments: Any) -> Any: ..."],
  ])("of a tool that is called %s shows how it is called", (name, stub) => {
    expect(pythonStub(tool(name))).toBe(stub);
  });

  it("has a TypedDict for what it gives, and the descriptions", () => {
    expect(pythonStub(weather)).toBe(`class WeatherWind(TypedDict):
    kmh: int
class WeatherResult(TypedDict):
    temperature: float
    wind: NotRequired[WeatherWind]
def weather(location: str, units: Literal['celsius', 'fahrenheit'] = 'celsius') -> WeatherResult:
    """Current weather of a city.
    location: City, as people write it
    units: Scale of the answer"""`);
  });

  it("says how a name that is no identifier is called, and passes such arguments by a TypedDict", () => {
    const stub = pythonStub(
      tool("get-tree", text(z.object({ from: z.int() })), text(tree, "output")),
    );
    expect(stub).toBe(`GetTreeArguments = TypedDict('GetTreeArguments', {'from': int})
class GetTreeResult(TypedDict):
    label: str
    kids: list[GetTreeResult]
# tools['get-tree'].run(...)
def get_tree(**arguments: Unpack[GetTreeArguments]) -> GetTreeResult: ...`);
  });

  it("says when a call is always awaitable", () => {
    expect(pythonStub({ ...tool("t"), callForm: "async" })).toBe(
      "async def t(**arguments: Any) -> Any: ...",
    );
  });

  it("is Python, whatever descriptions and names say", () => {
    const stubs = [
      weather,
      tool("get-tree", text(z.object({ from: z.int(), class: z.int() })), text(tree, "output")),
      tool("7", text(z.record(z.string(), z.number())), "", 'quotes """ and \\ and "'),
      tool(
        "x",
        text(z.object({ a: z.string().describe('b"""\nc') })),
        text(z.array(z.object({ "a-b": z.int() })), "output"),
        "line\nline",
      ),
    ].map(pythonStub);
    const { status, stderr } = spawnSync(
      "python3",
      ["-c", "import ast, sys; ast.parse(sys.stdin.read())"],
      {
        input: stubs.join("\n\n"),
        encoding: "utf8",
      },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });
});

describe("typescriptMember", () => {
  it("has JSDoc, defaults and optional members", () => {
    expect(typescriptMember(weather)).toEqual({
      interfaces: [],
      member: `/** Current weather of a city. */
weather(input: {
  /** Scale of the answer Default "celsius". */
  units?: "celsius" | "fahrenheit";
  /**
   * City, as people
   *  write it
   */
  location: string;
}): Promise<{ temperature: number; wind?: { kmh: number } }>;`,
    });
  });

  it("names a type that contains itself", () => {
    expect(typescriptMember(tool("get-tree", text(z.object({})), text(tree, "output")))).toEqual({
      interfaces: ["interface GetTree { label: string; kids: GetTree[] }"],
      member: '"get-tree"(input?: Record<string, never>): Promise<GetTree>;',
    });
  });

  it.each<[unknown, string]>([
    [{ type: "integer" }, "number"],
    [{ type: ["string", "null"] }, "string | null"],
    [{ type: "array", items: { enum: ["a", "b"] } }, 'Array<"a" | "b">'],
    [
      { type: "array", prefixItems: [{ type: "string" }], items: { type: "integer" } },
      "[string, ...number[]]",
    ],
    [{ type: "object", additionalProperties: { type: "integer" } }, "Record<string, number>"],
    [
      { type: "object", properties: { "a-b": {} }, additionalProperties: true },
      '{ "a-b"?: unknown; [name: string]: unknown }',
    ],
    [{}, "unknown"],
    [false, "never"],
  ])("writes %j as %s", (schema, type) => {
    expect(typescriptMember(tool("t", "", json(schema))).member).toBe(
      `t(input: Record<string, unknown>): Promise<${type}>;`,
    );
  });

  it("lets no description out of its comment", () => {
    const { member } = typescriptMember(tool("t", "", "", "*/ evil() /*"));
    expect(member.startsWith("/** *\\/ evil() /* */")).toBe(true);
  });
});
