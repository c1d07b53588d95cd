import { describe, expect, it } from "vitest";
import { parametersOf } from "../../../src/shared/schema/parameters.ts";
import { pythonSignature } from "../../../src/shared/schema/python.ts";
import { type Shape, shapeOf } from "../../../src/shared/schema/shape.ts";

const json = (schema: unknown) => JSON.stringify(schema);
const ref = (name: string) => ({ $ref: `#/$defs/${name}` });
const signature = (inputSchemaJson: string) =>
  pythonSignature({ name: "t", inputSchemaJson, outputSchemaJson: "" });
const fieldsOf = (shape: Shape) => (shape.kind === "object" ? shape.fields() : []);
const wide = (prefix: string, count: number) => ({
  type: "object",
  properties: Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, {}])),
});

/** A chain of types, each all of what `members` makes of those before it. */
function chain(length: number, members: (index: number) => object[]) {
  const closed = { type: "object", properties: { a: {} } };
  const other = { type: "object", properties: { b: {} } };
  const $defs: Record<string, object> = { a0: closed, a1: other };
  for (let index = 2; index <= length; index++) $defs[`a${index}`] = { allOf: members(index) };
  return json({ ...ref(`a${length}`), $defs });
}

describe("a schema that doubles with each step", () => {
  it("by the same reference twice is read", () => {
    const schema = chain(60, (index) => [ref(`a${index - 1}`), ref(`a${index - 1}`)]);
    expect(parametersOf(schema).parameters).toEqual(["b"]);
    expect(signature(schema)).toBe("t(b: Any = ...) -> Any");
  });

  it("by two references is read", () => {
    const schema = chain(60, (index) => [ref(`a${index - 1}`), ref(`a${index - 2}`)]);
    expect(parametersOf(schema).parameters).toEqual(["b", "a"]);
  });

  it("by members that are written twice is read", () => {
    const schema = chain(40, (index) => [
      { allOf: [ref(`a${index - 1}`), { type: "object", properties: {} }] },
      { allOf: [ref(`a${index - 1}`), { type: "object", properties: {} }] },
    ]);
    expect(parametersOf(schema).parameters).toEqual(["b"]);
  });
});

describe("what is named again and again", () => {
  it("is one type", () => {
    const types = Array.from({ length: 3000 }, () => "object");
    const shape = shapeOf(json({ ...wide("p", 100), type: types }));
    expect(shape.kind).toBe("object");
    expect(fieldsOf(shape)).toHaveLength(100);
  });

  it("is one member", () => {
    const allOf = [ref("x"), ...Array.from({ length: 1500 }, () => ref("wide"))];
    const $defs = { wide: wide("p", 1000), x: wide("x", 1) };
    // 1502 references and both types, the 1001 fields twice, and their schemas.
    const shape = shapeOf(json({ allOf, $defs }), 1504 + 3 * 1001);
    expect(fieldsOf(shape)).toHaveLength(1001);
  });
});

describe("work", () => {
  const small = json(wide("p", 10));

  it("is counted: a schema, its fields and theirs", () => {
    expect(fieldsOf(shapeOf(small, 11))).toHaveLength(10);
    expect(fieldsOf(shapeOf(small, 10))).toEqual([]);
    expect(shapeOf(small, 0).kind).toBe("any");
  });

  it("that is too much leaves an object that takes anything", () => {
    const shape = shapeOf(small, 10);
    expect(shape).toMatchObject({ kind: "object", extra: { kind: "any" } });
  });

  it("of a wide type in many disguises ends", () => {
    const parts = Array.from({ length: 500 }, (_, i) => ({
      allOf: [ref("wide"), wide(`x${i}`, 1)],
    }));
    const schema = json({ allOf: parts, $defs: { wide: wide("p", 1000) } });
    expect(parametersOf(schema)).toMatchObject({ parameters: undefined, required: [] });
    expect(signature(schema)).toBe("t(**arguments) -> Any");
  });

  it("of a wide union in many others ends", () => {
    const choices = Array.from({ length: 1000 }, (_, i) => ({ const: i }));
    const properties = Object.fromEntries(
      Array.from({ length: 500 }, (_, i) => [`p${i}`, { anyOf: [ref("u"), { type: "null" }] }]),
    );
    const shape = shapeOf(json({ properties, $defs: { u: { anyOf: choices } } }));
    const kinds = fieldsOf(shape).map((field) => field.shape.kind);
    expect(kinds[0]).toBe("union");
    expect(kinds.at(-1)).toBe("any");
  });

  it("of a deep chain does not use up the stack", () => {
    const properties: Record<string, object> = { p0: wide("q", 1) };
    for (let i = 1; i <= 1000; i++) {
      properties[`p${i}`] = { allOf: [{ $ref: `#/properties/p${i - 1}` }, { type: "object" }] };
    }
    const schema = json({ type: "object", properties, required: ["p1000"] });
    expect(schema.length).toBeLessThan(80 * 1024);
    expect(signature(schema)).toMatch(/^t\(p1000: dict, p0: dict = \.\.\./);
  });
});
