import type { JsonObject } from "../shared/model.ts";
import { type Parameters, parametersOf } from "../shared/schema/parameters.ts";

/**
 * Arguments as a tool means them: a required one that may be null and is left out is null, and null for
 * an optional one that may not be null is nothing. Guests do the same for the tools that they know.
 */
export function createMeaning(
  json: string | Promise<string>,
): (given: JsonObject) => Promise<JsonObject> {
  let known: Parameters | undefined;
  return async (given) => {
    known ??= parametersOf(await json);
    const { nullWhenAbsent, absentWhenNull } = known;
    const dropped = absentWhenNull.filter(
      (name) => Object.hasOwn(given, name) && given[name] === null,
    );
    const filled = nullWhenAbsent.filter((name) => !Object.hasOwn(given, name));
    if (dropped.length === 0 && filled.length === 0) return given;
    const kept = Object.entries(given).filter(([name]) => !dropped.includes(name));
    return Object.fromEntries([...kept, ...filled.map((name) => [name, null] as const)]);
  };
}
