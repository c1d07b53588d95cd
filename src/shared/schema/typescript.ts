import type { JsonValue, ToolDeclaration } from "../model.ts";
import { type Field, type ObjectShape, type Shape, shapeOf } from "./shape.ts";

// As for Python: schemas come from callers.
const maxTypeLength = 4000;

/**
 * A tool as a member of a TypeScript type, with its descriptions as JSDoc, and the interfaces that it
 * needs: only types that contain themselves have a name. Throws a JsonError for a schema that is not
 * JSON.
 */
export function typescriptMember(tool: ToolDeclaration): { member: string; interfaces: string[] } {
  const types = new TypescriptTypes(pascal(tool.name));
  const input = shapeOf(tool.inputSchemaJson);
  const isOptional = input.kind === "object" && !input.fields().some((field) => field.isRequired);
  const taken = input.kind === "any" ? "Record<string, unknown>" : types.of(input);
  const result = types.of(shapeOf(tool.outputSchemaJson));
  const signature = `${key(tool.name)}(input${isOptional ? "?" : ""}: ${taken}): Promise<${result}>;`;
  const member = [...jsdoc(tool.description), signature].join("\n");
  return { member, interfaces: types.interfaces };
}

/**
 * A tool as a program in JavaScript or TypeScript calls it, in one line, such as
 * "weather({ city: string }): Promise<number>".
 */
export function typescriptSignatureOf(name: string, input: Shape, given: Shape): string {
  const types = new TypescriptTypes(pascal(name), { hasNotes: false });
  const taken = input.kind === "any" ? "{ ... }" : types.of(input);
  const called = isIdentifier(name) ? name : `tools[${JSON.stringify(name)}]`;
  const signature = `${called}(${taken}): Promise<${types.of(given)}>`;
  return signature.length > maxTypeLength ? `${called}({ ... }): Promise<unknown>` : signature;
}

/** Writes shapes as TypeScript types. */
class TypescriptTypes {
  readonly interfaces: string[] = [];
  readonly #prefix: string;
  readonly #hasNotes: boolean;
  readonly #texts = new Map<Shape, string>();
  readonly #open = new Set<Shape>();
  readonly #names = new Map<Shape, string>();

  /** With notes, a field has its description and default as JSDoc above it. */
  constructor(prefix: string, { hasNotes } = { hasNotes: true }) {
    this.#prefix = prefix;
    this.#hasNotes = hasNotes;
  }

  of(shape: Shape): string {
    const known = this.#texts.get(shape) ?? this.#names.get(shape);
    if (known !== undefined) return known;
    if (shape.kind === "object" && this.#open.has(shape)) return this.#name(shape);
    this.#open.add(shape);
    const text = this.#write(shape);
    this.#open.delete(shape);
    const name = this.#names.get(shape);
    if (name !== undefined) this.interfaces.push(`interface ${name} ${text}`);
    const kept = name ?? (text.length > maxTypeLength ? "unknown" : text);
    this.#texts.set(shape, kept);
    return kept;
  }

  #name(shape: ObjectShape): string {
    const wanted = `${this.#prefix}${pascal(shape.title)}`;
    const taken = new Set(this.#names.values());
    let name = wanted;
    for (let number = 2; taken.has(name); number++) name = `${wanted}${number}`;
    this.#names.set(shape, name);
    return name;
  }

  #write(shape: Shape): string {
    switch (shape.kind) {
      case "any":
        return "unknown";
      case "integer":
        return "number";
      case "string":
      case "number":
      case "boolean":
      case "null":
      case "never":
        return shape.kind;
      case "literal":
        return literal(shape.value);
      case "array":
        return element(this.of(shape.item));
      case "tuple": {
        const rest = shape.rest === undefined ? [] : [`...${element(this.of(shape.rest))}`];
        return `[${[...shape.items.map((item) => this.of(item)), ...rest].join(", ")}]`;
      }
      case "union":
        return [...new Set(shape.members.map((member) => this.of(member)))].join(" | ");
      case "object":
        return this.#object(shape);
    }
  }

  #object(shape: ObjectShape): string {
    const fields = shape.fields();
    const extra = shape.extra && `[name: string]: ${this.of(shape.extra)}`;
    if (fields.length === 0) {
      return shape.extra ? `Record<string, ${this.of(shape.extra)}>` : "Record<string, never>";
    }
    const members = fields.map((field) => this.#field(field));
    // An index signature must suit every field, so what else may be there is known but not typed.
    const open = extra === undefined ? [] : ["[name: string]: unknown"];
    const lines = [...members, ...open];
    if (lines.every((line) => !line.includes("\n"))) return `{ ${lines.join("; ")} }`;
    return `{\n${indent(lines.map((line) => `${line};`).join("\n"))}\n}`;
  }

  #field({ name, shape, isRequired, description, default: value }: Field): string {
    const stands = value === undefined ? "" : `Default ${literal(value)}.`;
    const note = !this.#hasNotes ? [] : jsdoc([description, stands].filter(Boolean).join(" "));
    return [...note, `${key(name)}${isRequired ? "" : "?"}: ${this.of(shape)}`].join("\n");
  }
}

/** Text moved two places to the right. */
export function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "  ");
}

function jsdoc(text: string): string[] {
  const lines = text.trim().replaceAll("*/", "*\\/").split(/\r?\n/);
  if (lines.length === 1) return lines[0] === "" ? [] : [`/** ${lines[0]} */`];
  return ["/**", ...lines.map((line) => ` * ${line}`.trimEnd()), " */"];
}

function element(type: string): string {
  return /^[\w.]+(\[\])*$/.test(type) ? `${type}[]` : `Array<${type}>`;
}

function literal(value: JsonValue): string {
  if (typeof value === "bigint") return "number";
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  const members = Object.entries(value).map(([name, member]) => `${key(name)}: ${literal(member)}`);
  return `{ ${members.join(", ")} }`;
}

function key(name: string): string {
  return isIdentifier(name) ? name : JSON.stringify(name);
}

function isIdentifier(name: string): boolean {
  return /^[A-Za-z_$][\w$]*$/.test(name);
}

function pascal(text: string): string {
  const words = text.split(/[^A-Za-z0-9]+/).filter(Boolean);
  return words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join("");
}
