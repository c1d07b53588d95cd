import type { ToolDeclaration } from "../model.ts";
import { argumentsOf, inOrder } from "./parameters.ts";
import { namedParameters, PythonTypes, pythonLiteral } from "./python.ts";
import { isPythonName } from "./python-names.ts";
import { type Field, type ObjectShape, type Shape, shapeOf } from "./shape.ts";

/**
 * A tool as a Python stub: its function with types, defaults and a docstring, and before it a
 * TypedDict for each object that it takes or gives. Throws a JsonError for a schema that is not JSON.
 */
export function pythonStub(tool: ToolDeclaration): string {
  const { name, description, callForm } = tool;
  const input = argumentsOf(shapeOf(tool.inputSchemaJson));
  const stub = new Stub(isPythonName(name) ? name : asPythonName(name));
  const parameters = [...namedParameters(input, stub.types), ...stub.others(input)].join(", ");
  const result = stub.result(shapeOf(tool.outputSchemaJson));
  const define = `${callForm === "async" ? "async def" : "def"} ${stub.name}`;
  const body = docstring([description.trim(), ...fieldNotes(input)].filter(Boolean));
  return [
    ...stub.classes,
    ...(stub.name === name ? [] : [`# tools[${pythonLiteral(name)}].run(...)`]),
    `${define}(${parameters}) -> ${result}:${body}`,
  ].join("\n");
}

/** The names and classes of one tool's stub. */
class Stub {
  readonly name: string;
  readonly classes: string[] = [];
  readonly types: PythonTypes;
  readonly #names = new Map<ObjectShape, string>();
  readonly #taken = new Set<string>();
  readonly #prefix: string;

  constructor(name: string) {
    this.name = name;
    this.#prefix = pascal(name);
    this.types = new PythonTypes((shape) => this.#declare(shape));
  }

  result(shape: Shape): string {
    if (shape.kind === "object" && shape.fields().length > 0) return this.#declare(shape, "Result");
    return this.types.of(shape);
  }

  /** Arguments that no identifier can name, and any others that are taken. */
  others(input: Shape): string[] {
    if (input.kind !== "object") return ["**arguments: Any"];
    const odd = inOrder(input).filter(({ name }) => !isPythonName(name));
    if (input.extra !== undefined) {
      return [`**arguments: ${odd.length === 0 ? this.types.of(input.extra) : "Any"}`];
    }
    if (odd.length === 0) return [];
    const name = this.#named("Arguments");
    this.classes.push(this.#functional(name, odd));
    return [`**arguments: Unpack[${name}]`];
  }

  #declare(shape: ObjectShape, title = shape.title): string {
    const known = this.#names.get(shape);
    if (known !== undefined) return known;
    const name = this.#named(title === "" ? "Item" : title);
    // Before its fields are written: it may be one of them.
    this.#names.set(shape, name);
    const fields = shape.fields();
    const isPlain = fields.every((field) => isPythonName(field.name));
    this.classes.push(isPlain ? this.#class(name, fields) : this.#functional(name, fields));
    return name;
  }

  #class(name: string, fields: readonly Field[]): string {
    const lines = fields.map((field) => {
      const note = oneLine(field.description);
      return `    ${field.name}: ${this.#field(field)}${note === "" ? "" : `  # ${note}`}`;
    });
    return [`class ${name}(TypedDict):`, ...lines].join("\n");
  }

  #functional(name: string, fields: readonly Field[]): string {
    const members = fields.map((field) => `${pythonLiteral(field.name)}: ${this.#field(field)}`);
    return `${name} = TypedDict(${pythonLiteral(name)}, {${members.join(", ")}})`;
  }

  #field({ shape, isRequired }: Field): string {
    const type = this.types.of(shape);
    return isRequired ? type : `NotRequired[${type}]`;
  }

  #named(title: string): string {
    const wanted = `${this.#prefix}${pascal(title)}`;
    let name = wanted;
    for (let number = 2; this.#taken.has(name); number++) name = `${wanted}${number}`;
    this.#taken.add(name);
    return name;
  }
}

/** A name that a function can have, for one that cannot be: with "_" for what is amiss. */
function asPythonName(name: string): string {
  const plain = name.replace(/\W/g, "_").replace(/^\d/, "_$&");
  return isPythonName(plain) ? plain : `${plain}_`;
}

function fieldNotes(input: Shape): string[] {
  if (input.kind !== "object") return [];
  return inOrder(input)
    .filter(({ description }) => description !== "")
    .map(({ name, description }) => `${name}: ${oneLine(description)}`);
}

function docstring(lines: readonly string[]): string {
  const text = lines.join("\n").replaceAll("\\", "\\\\").replaceAll('"""', '\\"\\"\\"');
  if (text === "") return " ...";
  // A quote before the closing three would make four.
  const closed = text.endsWith('"') ? `${text} ` : text;
  return `\n    """${closed.replaceAll("\n", "\n    ")}"""`;
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function pascal(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join("") || "Tool";
}
