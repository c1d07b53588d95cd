import { isPythonName } from "./python-names.ts";
import { type Field, type ObjectShape, type Shape, shapeOf } from "./shape.ts";

/** Names of a tool's arguments. */
export interface Parameters {
  /** Every name, in the order of the signature; undefined where any are taken. */
  readonly parameters: readonly string[] | undefined;
  readonly required: readonly string[];
  /** Names of those that are null where a program leaves them out: they are required. */
  readonly nullWhenAbsent: readonly string[];
  /** Names of those that are left out where a program gives null: nothing is meant by it. */
  readonly absentWhenNull: readonly string[];
}

/**
 * The arguments that a tool's input schema names. A schema that says nothing about further members
 * counts as closed, as zod's are. Throws a JsonError for text that is not JSON.
 */
export function parametersOf(inputSchemaJson: string): Parameters {
  return parametersOfShape(shapeOf(inputSchemaJson));
}

/** The arguments that the shape of an input names. */
export function parametersOfShape(input: Shape): Parameters {
  const shape = argumentsOf(input);
  if (shape.kind !== "object")
    return { parameters: undefined, required: [], nullWhenAbsent: [], absentWhenNull: [] };
  const fields = inOrder(shape);
  const names = (some: readonly Field[]) => some.map(({ name }) => name);
  return {
    parameters: shape.extra === undefined ? names(fields) : undefined,
    required: names(fields.filter(mustBeGiven)),
    nullWhenAbsent: names(fields.filter((field) => isLeftToNull(field))),
    absentWhenNull: names(
      fields.filter(
        (field) => !mustBeGiven(field) && !isLeftToNull(field) && !takesNull(field.shape),
      ),
    ),
  };
}

/**
 * What a tool takes as one object: of several it has the fields of each, and those have to be given
 * that each has to be given. A shape that is of no object is as it is.
 */
export function argumentsOf(shape: Shape): Shape {
  if (shape.kind !== "union") return shape;
  const objects = shape.members.filter((member) => member.kind === "object");
  const [first] = objects;
  if (first === undefined || objects.length < shape.members.length) return shape;
  const byName = Map.groupBy(
    objects.flatMap((object) => object.fields()),
    ({ name }) => name,
  );
  const fields = [...byName.values()].map((same): Field => {
    const isRequired = same.filter((field) => field.isRequired).length === objects.length;
    return { ...(same[0] as Field), shape: eitherOf(same.map((field) => field.shape)), isRequired };
  });
  const extra = objects.find((object) => object.extra !== undefined)?.extra;
  return { kind: "object", title: first.title, fields: () => fields, extra };
}

function eitherOf(shapes: readonly Shape[]): Shape {
  const opened = shapes.flatMap((shape) => (shape.kind === "union" ? shape.members : [shape]));
  const [first, ...others] = new Set(opened);
  if (first === undefined || others.length === 0) return first ?? { kind: "any" };
  const members = [first, ...others];
  return members.some(({ kind }) => kind === "any") ? { kind: "any" } : { kind: "union", members };
}

/** Whether a program has to give an argument: it has no default, and is not null by itself. */
export function mustBeGiven(field: Field): boolean {
  return field.isRequired && field.default === undefined && !isNullable(field.shape);
}

/** Whether an argument that is left out is null: it is required, has no default, and may be null. */
export function isLeftToNull({ isRequired, default: value, shape }: Field): boolean {
  return isRequired && value === undefined && isNullable(shape);
}

/** Whether a schema speaks of null. */
function isNullable(shape: Shape): boolean {
  if (shape.kind === "union") return shape.members.some(isNullable);
  return shape.kind === "null" || (shape.kind === "literal" && shape.value === null);
}

function takesNull(shape: Shape): boolean {
  return shape.kind === "any" || isNullable(shape);
}

/** The order of a signature: what must be given, what may be, what no identifier can name. */
export function inOrder(shape: ObjectShape): Field[] {
  const rank = (field: Field) => (isPythonName(field.name) ? (mustBeGiven(field) ? 0 : 1) : 2);
  return shape.fields().toSorted((one, other) => rank(one) - rank(other));
}
