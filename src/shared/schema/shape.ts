import { parseJson } from "../json.ts";
import type { JsonObject, JsonValue } from "../model.ts";

/** A field of an object shape. */
export interface Field {
  readonly name: string;
  readonly shape: Shape;
  readonly isRequired: boolean;
  /** Empty where the schema says nothing. */
  readonly description: string;
  /** The value that stands in for an absent one; undefined where there is none. */
  readonly default: JsonValue | undefined;
}

/** An object with known fields; `extra` is what other members may be, undefined where there are none. */
export interface ObjectShape {
  readonly kind: "object";
  /** The schema's own name for it (its `title`, or its name under `$defs`); may be empty. */
  readonly title: string;
  /** Read when asked for, so that a type may contain itself. */
  readonly fields: () => readonly Field[];
  readonly extra: Shape | undefined;
}

type Members = Pick<ObjectShape, "extra"> & { readonly fields: readonly Field[] };

/** What a JSON Schema says of a value, as far as a type of a programming language can say it. */
export type Shape =
  | { readonly kind: "any" | "never" }
  | { readonly kind: "string" | "integer" | "number" | "boolean" | "null" }
  | { readonly kind: "literal"; readonly value: string | number | bigint | boolean | null }
  | { readonly kind: "array"; readonly item: Shape }
  | { readonly kind: "tuple"; readonly items: readonly Shape[]; readonly rest: Shape | undefined }
  | { readonly kind: "union"; readonly members: readonly Shape[] }
  | ObjectShape;

const any: Shape = { kind: "any" };
const never: Shape = { kind: "never" };
// A chain of references may be as long as the text; the stack is not.
const maxDepth = 128;
// Nor is what references stand for bounded by the text: a wide type may be meant a thousand times.
const defaultWork = 10_000;
const anything: Members = { fields: [], extra: any };

/**
 * The shape of a JSON Schema as text, "any" for an empty one; throws a JsonError for what is not JSON.
 * `maxWork` bounds the schemas, fields and members of unions that are looked at; what is beyond is "any".
 */
export function shapeOf(schemaJson: string, maxWork: number = defaultWork): Shape {
  if (schemaJson === "") return any;
  const root = parseJson(schemaJson);
  return new SchemaReader(root, maxWork).read(root);
}

/** Reads one document; a schema that is referred to twice is one shape. */
class SchemaReader {
  readonly #root: JsonValue;
  readonly #shapes = new Map<object, Shape>();
  readonly #open = new Set<object>();
  #names: Map<string, JsonObject> | undefined;
  #workLeft: number;

  constructor(root: JsonValue, maxWork: number) {
    this.#root = root;
    this.#workLeft = maxWork;
  }

  read(schema: JsonValue | undefined, name = ""): Shape {
    if (schema === false) return never;
    if (!isObject(schema)) return any;
    const known = this.#shapes.get(schema);
    if (known !== undefined) return known;
    // A type that contains itself without an object in between has no finite form.
    if (this.#open.has(schema) || this.#open.size >= maxDepth) return any;
    if (!this.#spend(1)) return any;
    this.#open.add(schema);
    const shape = this.#shapeOf(schema, name);
    this.#open.delete(schema);
    this.#shapes.set(schema, shape);
    return shape;
  }

  #shapeOf(schema: JsonObject, name: string): Shape {
    if (schema.nullable === true) {
      const { nullable: _, ...rest } = schema;
      return this.#union([this.#shapeOf(rest, name), { kind: "null" }]);
    }
    if (typeof schema.$ref === "string") return this.#refer(schema.$ref);
    if ("const" in schema) return literals([schema.const]);
    if (Array.isArray(schema.enum)) return literals(schema.enum);
    const { type } = schema;
    if (type === undefined && Array.isArray(schema.allOf)) return this.#all(schema, name);
    const choices = schema.anyOf ?? schema.oneOf;
    if (type === undefined && !("properties" in schema) && Array.isArray(choices)) {
      return this.#union(choices.map((choice) => this.read(choice, name)));
    }
    const types = Array.isArray(type) ? [...new Set(type)] : [type ?? impliedType(schema)];
    return this.#union(types.map((each) => this.#typed(each, schema, name)));
  }

  #typed(type: JsonValue | undefined, schema: JsonObject, name: string): Shape {
    switch (type) {
      case "string":
      case "integer":
      case "number":
      case "boolean":
      case "null":
        return { kind: type };
      case "array":
        return this.#array(schema, name);
      case "object":
        return this.#object(schema, name);
      default:
        return any;
    }
  }

  #array(schema: JsonObject, name: string): Shape {
    // Before draft 2020-12 a tuple's items were a list, and what may follow had a name of its own.
    const isOld = Array.isArray(schema.items);
    const items = isOld ? schema.additionalItems : schema.items;
    const prefixItems = isOld ? schema.items : schema.prefixItems;
    if (!Array.isArray(prefixItems)) {
      return { kind: "array", item: this.read(items, name && `${name}_item`) };
    }
    // As with an object's members: what is not spoken of is not there.
    const rest = items === false || items === undefined ? undefined : this.read(items);
    return { kind: "tuple", items: prefixItems.map((item) => this.read(item)), rest };
  }

  #object(schema: JsonObject, name: string): ObjectShape {
    const { properties, additionalProperties: more } = schema;
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const entries = isObject(properties) ? Object.entries(properties) : [];
    const isOpen =
      more === undefined
        ? !isObject(properties) ||
          "patternProperties" in schema ||
          [schema.anyOf, schema.oneOf, schema.allOf].flat().some(namesMembers)
        : more !== false;
    const extra = isOpen ? this.read(more) : undefined;
    const read = (): Members => {
      if (!this.#spend(entries.length)) return anything;
      const fields = entries.map(([field, member]): Field => {
        const said = isObject(member) ? member : {};
        return {
          name: field,
          shape: this.read(member, field),
          isRequired: required.has(field),
          description: typeof said.description === "string" ? said.description : "",
          default: said.default,
        };
      });
      return { fields, extra };
    };
    return lazyObject(typeof schema.title === "string" ? schema.title : name, read);
  }

  /** All of several objects is one object; of anything else, what the first that says something says. */
  #all(schema: JsonObject, name: string): Shape {
    const { allOf, ...rest } = schema;
    const members = (Array.isArray(allOf) ? allOf : []).map((member) => this.read(member, name));
    const own = "properties" in rest ? [this.#object(rest, name)] : [];
    const shapes = [...new Set([...own, ...members])].filter(({ kind }) => kind !== "any");
    const objects = shapes.filter((shape) => shape.kind === "object");
    const [first = any] = shapes;
    if (objects.length < 2 || objects.length < shapes.length) return first;
    const title = typeof schema.title === "string" ? schema.title : name;
    return lazyObject(title, () => this.#merge(objects));
  }

  #merge(objects: readonly ObjectShape[]): Members {
    const fields = new Map<string, Field>();
    for (const object of objects) {
      const more = object.fields();
      if (!this.#spend(more.length)) return anything;
      for (const field of more) fields.set(field.name, field);
    }
    const extra = objects.find((object) => object.extra !== undefined)?.extra;
    return { fields: [...fields.values()], extra };
  }

  #union(shapes: readonly Shape[]): Shape {
    const distinct = [...new Set(shapes)];
    const opened = distinct.map((shape) => (shape.kind === "union" ? shape.members.length : 0));
    return this.#spend(opened.reduce((sum, each) => sum + each, 0)) ? unionOf(distinct) : any;
  }

  /** False when there is no work left, from then on for good. */
  #spend(work: number): boolean {
    this.#workLeft -= work;
    return this.#workLeft >= 0;
  }

  /** The schema whose anchor or id is referred to; any where there is none. */
  #named(reference: string): Shape {
    if (this.#names === undefined) {
      this.#names = new Map();
      const left: (JsonValue | undefined)[] = [this.#root];
      while (left.length > 0 && this.#spend(1)) {
        const value = left.pop();
        if (typeof value !== "object" || value === null) continue;
        left.push(...Object.values(value));
        if (!isObject(value)) continue;
        if (typeof value.$anchor === "string") this.#names.set(`#${value.$anchor}`, value);
        if (typeof value.$id === "string") this.#names.set(value.$id, value);
      }
    }
    return this.read(this.#names.get(reference), reference.replace(/^.*[#/]/, ""));
  }

  #refer(reference: string): Shape {
    const [start, ...steps] = reference.split("/").map(unescapeStep);
    if (start !== "#") return this.#named(reference);
    let target: JsonValue | undefined = this.#root;
    for (const step of steps) {
      if (typeof target !== "object" || target === null || !Object.hasOwn(target, step)) return any;
      target = (target as JsonObject)[step];
    }
    return this.read(target, steps.at(-1) ?? "");
  }
}

/** An object whose members are read once, when first asked for. */
function lazyObject(title: string, read: () => Members): ObjectShape {
  let known: Members | undefined;
  const members = () => {
    known ??= read();
    return known;
  };
  return {
    kind: "object",
    title,
    fields: () => members().fields,
    get extra() {
      return members().extra;
    },
  };
}

/** One shape for several, each kept once, unions within it opened up. */
function unionOf(shapes: readonly Shape[]): Shape {
  const members = new Set(
    shapes.flatMap((shape) => (shape.kind === "union" ? shape.members : [shape])),
  );
  const [first = any] = members;
  if ([...members].some(({ kind }) => kind === "any")) return any;
  return members.size <= 1 ? first : { kind: "union", members: [...members] };
}

function literals(values: readonly (JsonValue | undefined)[]): Shape {
  return unionOf(
    values.map((value) =>
      value === undefined || (typeof value === "object" && value !== null)
        ? any
        : { kind: "literal", value: value as string | number | bigint | boolean | null },
    ),
  );
}

/** Whether an alternative may speak of members by name: one that says only which are required does not. */
function namesMembers(schema: JsonValue | undefined): boolean {
  if (schema === undefined) return false;
  return (
    !isObject(schema) || Object.keys(schema).some((key) => key !== "required" && key !== "not")
  );
}

function impliedType(schema: JsonObject): string | undefined {
  if ("properties" in schema || "additionalProperties" in schema) return "object";
  return "items" in schema || "prefixItems" in schema ? "array" : undefined;
}

function unescapeStep(step: string): string {
  const text = step.includes("%") ? decodeStep(step) : step;
  return text.replaceAll("~1", "/").replaceAll("~0", "~");
}

function decodeStep(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    // Not percent-encoded after all: the name itself holds a "%".
    return step;
  }
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
