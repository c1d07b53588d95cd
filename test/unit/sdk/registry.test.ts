import { describe, expect, it } from "vitest";
import { Codemode, defineTool, ToolRegistry } from "../../../src/index.ts";

const tool = (name: string, description = "") =>
  defineTool({ name, description, execute: () => name });

describe("a registry", () => {
  it("keeps tools by name, in the order in which they came", () => {
    const registry = new ToolRegistry();
    registry.register(tool("a", "first")).register([tool("c"), tool("b")]);
    registry.register({ d: { description: "an AI SDK tool", execute: async () => 1 } });
    expect(registry.list().map(({ name }) => name)).toEqual(["a", "c", "b", "d"]);
    expect(registry.get("a")).toEqual({ name: "a", description: "first" });
    expect(registry.get("d")).toEqual({ name: "d", description: "an AI SDK tool" });
    expect(registry.get("x")).toBeUndefined();
    expect([registry.has("a"), registry.has("x")]).toEqual([true, false]);
    expect([registry.remove("a"), registry.remove("a"), registry.has("a")]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("refuses a name that is taken, and then adds nothing, unless it may overwrite", () => {
    const registry = new ToolRegistry().register(tool("a", "old"));
    const register = () => registry.register([tool("b"), tool("a", "new")]);
    expect(register).toThrow('already registered: "a"; pass overwrite: true');
    expect(register).toThrow(expect.objectContaining({ kind: "already_exists" }));
    expect(registry.has("b")).toBe(false);
    registry.register([tool("b"), tool("a", "new")], { overwrite: true });
    expect(registry.get("a")).toMatchObject({ description: "new" });
  });

  it("refuses a name that is there twice in one list, and what is no tool", () => {
    const registry = new ToolRegistry();
    expect(() => registry.register([tool("a"), tool("a")])).toThrow('the name "a" is there twice');
    const nameless = { description: "x", execute: () => 1 } as never;
    expect(() => registry.register([nameless])).toThrow("tools[0]: expected a tool with a name");
    expect(() => registry.register({ x: { description: "no handler" } })).toThrow(
      'the tool "x": execute: expected a function',
    );
    expect(registry.list()).toEqual([]);
  });

  it("takes an object whose keys are names of tools, whatever they are called", () => {
    const registry = new ToolRegistry();
    const execute = () => 1;
    registry.register({ name: { execute }, execute: { execute }, constructor: { execute } });
    expect(registry.list().map(({ name }) => name)).toEqual(["name", "execute", "constructor"]);
  });

  it("takes a bare function that has a description, under its own name or another", async () => {
    async function hello(input: { name: string }) {
      return `hello ${input.name}`;
    }
    hello.description = "Greets";
    hello.readOnly = true;
    const registry = new ToolRegistry().register(hello).register({ greet: hello });
    expect(registry.list()).toEqual([
      { name: "hello", description: "Greets" },
      { name: "greet", description: "Greets" },
    ]);
    const declared = await registry.select(["hello"]).get("hello")?.declare();
    expect(declared).toMatchObject({ name: "hello", readOnly: true, callForm: "auto" });
  });

  it("selects all, none, registered ones by name, and others", () => {
    const registry = new ToolRegistry().register([tool("a"), tool("b")]);
    const names = (...selection: Parameters<ToolRegistry["select"]>) => [
      ...registry.select(...selection).keys(),
    ];
    expect(names(undefined)).toEqual(["a", "b"]);
    expect(names([])).toEqual([]);
    expect(names(["b", tool("z")])).toEqual(["b", "z"]);
    expect(names({ z: { execute: () => 1 } })).toEqual(["z"]);
    expect(() => names(["zz"])).toThrow('no tool "zz" is registered, only: "a", "b"');
    expect(() => names(["a", tool("a")])).toThrow('the name "a" is there twice');
  });

  it("is shared by the clients that are bound to one", () => {
    const codemode = Codemode.connect({ url: "http://127.0.0.1:9" });
    codemode.with({ client_id: "acme" }).registry.register(tool("a"));
    expect(codemode.registry.has("a")).toBe(true);
  });
});
