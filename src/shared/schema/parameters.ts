import { isPythonName } from "./python-names.ts";
import { type Field, type ObjectShape, shapeOf } from "./shape.ts";

/** Names of a tool's arguments. */
export interface Parameters {
  /** Every name, in the order of the signature; undefined where any are taken. */
  readonly parameters: readonly string[] | undefined;
  readonly required: readonly string[];
}

/**
 * The arguments that a tool's input schema names. A schema that says nothing about further members
 * counts as closed, as zod's are. Throws a JsonError for text that is not JSON.
 */
export function parametersOf(inputSchemaJson: string): Parameters {
  const shape = shapeOf(inputSchemaJson);
  if (shape.kind !== "object") return { parameters: undefined, required: [] };
  const fields = inOrder(shape);
  const names = (some: readonly Field[]) => some.map(({ name }) => name);
  return {
    parameters: shape.extra === undefined ? names(fields) : undefined,
    required: names(fields.filter(({ isRequired }) => isRequired)),
  };
}

/** The order of a signature: what must be given, what may be, what no identifier can name. */
export function inOrder(shape: ObjectShape): Field[] {
  const rank = ({ name, isRequired }: Field) => (isPythonName(name) ? (isRequired ? 0 : 1) : 2);
  return shape.fields().toSorted((one, other) => rank(one) - rank(other));
}
