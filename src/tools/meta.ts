import { parseJsonObject } from "../shared/json.ts";
import type { JsonObject, JsonValue, ToolAnswer, ToolDeclaration } from "../shared/model.ts";
import { failure } from "./answer.ts";
import { type Catalog, findTools, listTools, toolSchema } from "./catalog.ts";
import { nearNames } from "./search.ts";

type Answer = (catalog: Catalog, given: JsonObject) => ToolAnswer;

const defaultFound = 10;
const maxFound = 100;

/** Tools about tools, which the host answers by itself. */
const metaTools: ReadonlyMap<string, Answer> = new Map<string, Answer>([
  [
    "__list__",
    (catalog, given) =>
      misfit("__list__()", given, {}) ?? {
        resultJson: listTools(catalog),
      },
  ],
  ["__schema__", schema],
  ["__search__", search],
]);

/** The answer of a tool about tools; undefined when the name is not one of theirs. */
export function answerMeta(
  name: string,
  argumentsJson: string,
  catalog: Catalog,
): ToolAnswer | undefined {
  return metaTools.get(name)?.(catalog, parseJsonObject(argumentsJson));
}

/** The answer to a call of a tool that is not granted, with the names that may have been meant. */
export function notGranted(name: string, tools: readonly ToolDeclaration[]): ToolAnswer {
  const asked = JSON.stringify(name.slice(0, 128));
  const near = nearNames(tools, name).map((each) => JSON.stringify(each));
  const hint = near.length === 0 ? "" : `: did you mean ${near.join(" or ")}?`;
  return failure("not_granted", `the tool ${asked} is not granted${hint}`);
}

function schema({ tools, language }: Catalog, given: JsonObject): ToolAnswer {
  const signature = inWords(language, "__schema__(name: str)", "__schema__({ name: string })");
  const fault = misfit(signature, given, { name: isText });
  if (fault !== undefined) return fault;
  const name = String(given.name);
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) return notGranted(name, tools);
  return { resultJson: toolSchema(tool, language) };
}

function search(catalog: Catalog, given: JsonObject): ToolAnswer {
  const asked = { limit: defaultFound, ...given };
  const signature = inWords(
    catalog.language,
    `__search__(query: str, limit: int = ${defaultFound})`,
    "__search__({ query: string; limit?: number })",
  );
  const fault = misfit(signature, asked, { query: isText, limit: isCount });
  return fault ?? { resultJson: findTools(catalog, String(given.query), Number(asked.limit)) };
}

function inWords(language: string, python: string, typescript: string): string {
  return language === "python" ? python : typescript;
}

/** The failure of arguments that do not fit; undefined when they do. */
function misfit(
  signature: string,
  given: JsonObject,
  wanted: Readonly<Record<string, (value: JsonValue | undefined) => string | undefined>>,
): ToolAnswer | undefined {
  const unknown = Object.keys(given).filter((key) => !Object.hasOwn(wanted, key));
  const faults = [
    ...unknown.map((key) => `it has no argument ${JSON.stringify(key.slice(0, 128))}`),
    ...Object.entries(wanted).flatMap(([key, check]) => {
      const fault = check(given[key]);
      return fault === undefined ? [] : [`${key} ${fault}`];
    }),
  ];
  if (faults.length === 0) return undefined;
  return failure("invalid_arguments", `${signature}: ${faults.slice(0, 8).join("; ")}`);
}

function isText(value: JsonValue | undefined): string | undefined {
  return typeof value === "string" && value.length <= 4096
    ? undefined
    : "must be text of at most 4096 characters";
}

function isCount(value: JsonValue | undefined): string | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= maxFound
    ? undefined
    : `must be an integer from 1 to ${maxFound}`;
}
