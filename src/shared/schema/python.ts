import type { JsonValue, ToolDeclaration } from "../model.ts";
import { argumentsOf, inOrder, isLeftToNull, mustBeGiven } from "./parameters.ts";
import { isPythonName } from "./python-names.ts";
import { type Field, type ObjectShape, type Shape, shapeOf } from "./shape.ts";

// Schemas come from callers: beyond this a type says too much to be read, and could grow without end.
const maxTypeLength = 400;

/** A tool as far as its signature goes. */
export type Described = Pick<ToolDeclaration, "name" | "inputSchemaJson" | "outputSchemaJson">;

/**
 * One line that says how a tool is called, such as
 * `weather(location: str, units: Literal['celsius', 'fahrenheit'] = 'celsius') -> dict`. Throws a
 * JsonError for a schema that is not JSON.
 */
export function pythonSignature({ name, inputSchemaJson, outputSchemaJson }: Described): string {
  return pythonSignatureOf(name, shapeOf(inputSchemaJson), shapeOf(outputSchemaJson));
}

/** The line of a tool whose schemas have been read. */
export function pythonSignatureOf(name: string, taken: Shape, given: Shape): string {
  const types = new PythonTypes(() => "dict");
  const input = argumentsOf(taken);
  const called = isPythonName(name) ? name : `tools[${pythonLiteral(name)}].run`;
  const parameters = [...namedParameters(input, types), ...otherParameters(input, types)];
  return `${called}(${parameters.join(", ")}) -> ${types.of(given)}`;
}

/** The parameters that an identifier can name, those that must be given first. */
export function namedParameters(input: Shape, types: PythonTypes): string[] {
  if (input.kind !== "object") return [];
  return inOrder(input)
    .filter(({ name }) => isPythonName(name))
    .map((field) => parameter(field, types));
}

function parameter(field: Field, types: PythonTypes): string {
  const { name, shape, default: value } = field;
  const typed = `${name}: ${types.of(shape)}`;
  if (mustBeGiven(field)) return typed;
  if (isLeftToNull(field)) return `${typed} = None`;
  return `${typed} = ${value === undefined ? "..." : pythonLiteral(value)}`;
}

/** What cannot be named, as a call would pass it; empty where there is nothing more. */
function otherParameters(input: Shape, types: PythonTypes): string[] {
  if (input.kind !== "object") return ["**arguments"];
  const odd = inOrder(input)
    .filter(({ name }) => !isPythonName(name))
    .map(({ name, shape }) => `${pythonLiteral(name)}: ${types.of(shape)}`);
  if (input.extra === undefined) return odd.length === 0 ? [] : [`**{${odd.join(", ")}}`];
  return odd.length === 0 ? ["**arguments"] : [`**{${odd.join(", ")}, ...}`];
}

/** Writes shapes as Python types, an object with fields as what `nameObject` says. */
export class PythonTypes {
  readonly #nameObject: (shape: ObjectShape) => string;
  readonly #texts = new Map<Shape, string>();

  constructor(nameObject: (shape: ObjectShape) => string) {
    this.#nameObject = nameObject;
  }

  of(shape: Shape): string {
    const known = this.#texts.get(shape);
    if (known !== undefined) return known;
    const text = this.#write(shape);
    const kept = text.length > maxTypeLength ? "Any" : text;
    this.#texts.set(shape, kept);
    return kept;
  }

  #write(shape: Shape): string {
    switch (shape.kind) {
      case "string":
        return "str";
      case "integer":
        return "int";
      case "number":
        return "float";
      case "boolean":
        return "bool";
      case "null":
        return "None";
      case "never":
        return "Never";
      case "any":
        return "Any";
      case "literal":
        return this.#union([shape]);
      case "array":
        return `list[${this.of(shape.item)}]`;
      case "tuple":
        return `list[${this.#union([...shape.items, ...(shape.rest ? [shape.rest] : [])])}]`;
      case "union":
        return this.#union(shape.members);
      case "object":
        return shape.fields().length === 0 ? this.#mapping(shape) : this.#nameObject(shape);
    }
  }

  #mapping({ extra }: ObjectShape): string {
    return extra === undefined || extra.kind === "any" ? "dict" : `dict[str, ${this.of(extra)}]`;
  }

  #union(members: readonly Shape[]): string {
    const literals: string[] = [];
    const others: string[] = [];
    for (const member of members) {
      if (member.kind !== "literal") others.push(this.of(member));
      else if (member.value === null) others.push("None");
      // Python's Literal takes no floats.
      else if (isFraction(member.value)) others.push("float");
      else literals.push(pythonLiteral(member.value));
    }
    const literal = literals.length === 0 ? [] : [`Literal[${[...new Set(literals)].join(", ")}]`];
    const texts = new Set([...literal, ...others]);
    return texts.has("Any") || texts.size === 0 ? "Any" : [...texts].join(" | ");
  }
}

function isFraction(value: JsonValue): boolean {
  return typeof value === "number" && !Number.isInteger(value);
}

/** A JSON value as a Python expression. */
export function pythonLiteral(value: JsonValue): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `[${value.map(pythonLiteral).join(", ")}]`;
  if (typeof value !== "object") return Object.is(value, -0) ? "-0.0" : String(value);
  const members = Object.entries(value).map(
    ([key, member]) => `${quote(key)}: ${pythonLiteral(member)}`,
  );
  return `{${members.join(", ")}}`;
}

/** Text in single quotes, on one line. */
function quote(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner}'`;
}
