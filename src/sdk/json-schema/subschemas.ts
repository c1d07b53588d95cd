/** A schema that is an object. */
export type SchemaObject = Readonly<Record<string, unknown>>;

const holdsMap = new Set(
  "properties patternProperties $defs definitions dependentSchemas dependencies".split(" "),
);
const holdsSchemas = new Set(
  (
    "items prefixItems additionalItems unevaluatedItems contains additionalProperties propertyNames " +
    "unevaluatedProperties not if then else allOf anyOf oneOf"
  ).split(" "),
);

/** A copy of a schema in which each schema within it, and then it itself, is what `change` gives. */
export function mapSchemas(
  schema: unknown,
  change: (schema: SchemaObject) => SchemaObject,
): unknown {
  const map = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(map);
    return isSchemaObject(value) ? mapSchemas(value, change) : value;
  };
  if (!isSchemaObject(schema)) return schema;
  const members = Object.entries(schema).flatMap(([key, member]): [string, unknown][] => {
    if (member === undefined) return [];
    if (holdsSchemas.has(key)) return [[key, map(member)]];
    if (!holdsMap.has(key) || !isSchemaObject(member)) return [[key, member]];
    const mapped = Object.entries(member).map(([name, each]) => [name, map(each)] as const);
    // Nothing inherited: a member may be called "toString".
    return [[key, Object.assign(Object.create(null), Object.fromEntries(mapped))]];
  });
  return change(Object.fromEntries(members));
}

/** Whether a value is an object that is no list. */
export function isSchemaObject(value: unknown): value is SchemaObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a reference such as "#/properties/a" is of, by its steps from the root; undefined for nothing. */
export function referred(root: unknown, reference: string): unknown {
  const [start, ...steps] = reference.split("/");
  if (start !== "#") return undefined;
  let found: unknown = root;
  for (const step of steps) {
    const name = decodeURIComponent(step).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name))
      return undefined;
    found = (found as SchemaObject)[name];
  }
  return found;
}
