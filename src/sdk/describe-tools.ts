import type { ToolDeclaration } from "../shared/model.ts";
import { pythonLiteral } from "../shared/schema/python.ts";
import { pythonStub } from "../shared/schema/python-stubs.ts";
import { indent, typescriptMember } from "../shared/schema/typescript.ts";
import { refuse } from "./options.ts";
import type { ToolRegistry, ToolSelection } from "./registry.ts";
import { renderPrompt } from "./tool-prompt.ts";

/** A language that tools can be described in. */
export type PromptLanguage = "python" | "typescript";

/** How tools are described. */
export interface DescribeOptions {
  /** Language of the programs to be written. Default "python". */
  readonly language?: PromptLanguage | undefined;
  /** Longest text, in tokens as `estimateTokens` counts them. Default: no limit. */
  readonly maxTokens?: number | undefined;
  /** Which tools. Default: every tool of the client's registry. */
  readonly tools?: ToolSelection | undefined;
}

/**
 * About how many tokens a model makes of a text: a quarter of its characters, rounded up. English and
 * code come out near it; other scripts take more.
 */
export function estimateTokens(text: string): number {
  return Math.ceil(text.length / 4);
}

/** Describes a registry's tools; rejects with `invalid_request`. */
export async function describeTools(
  registry: ToolRegistry,
  options: DescribeOptions,
): Promise<string> {
  const { language = "python", maxTokens = Number.POSITIVE_INFINITY } = options;
  refuse([
    ...(Object.hasOwn(notations, language)
      ? []
      : [{ field: "language", description: 'expected "python" or "typescript"' }]),
    ...(maxTokens > 0 ? [] : [{ field: "maxTokens", description: "expected a number above 0" }]),
  ]);
  const tools = [...registry.select(options.tools).values()];
  const declared = await Promise.all(tools.map((tool) => tool.declare()));
  return renderTools(declared, language, maxTokens);
}

/** The whole prompt: how programs are written, and the registry's tools. */
export async function toolPrompt(
  registry: ToolRegistry,
  options: DescribeOptions,
): Promise<string> {
  return renderPrompt(options.language ?? "python", await describeTools(registry, options));
}

/** One language's way to write tools down. */
interface Notation {
  readonly describe: (tool: ToolDeclaration) => { body: string; interfaces: readonly string[] };
  readonly join: (bodies: readonly string[], interfaces: readonly string[]) => string;
  readonly search: string;
  readonly comment: string;
}

const notations: Record<PromptLanguage, Notation> = {
  python: {
    describe: (tool) => ({ body: pythonStub(tool), interfaces: [] }),
    join: (bodies) => bodies.join("\n\n"),
    search: `tools['__search__'].run(query=${pythonLiteral("what it does")})`,
    comment: "#",
  },
  typescript: {
    describe(tool) {
      const { member, interfaces } = typescriptMember(tool);
      return { body: member, interfaces };
    },
    join: (bodies, interfaces) =>
      bodies.length === 0
        ? ""
        : [...interfaces, `declare const tools: {\n${indent(bodies.join("\n"))}\n};`].join("\n"),
    search: "await tools.__search__({ query: 'what it does' })",
    comment: "//",
  },
};

/**
 * Tools as a program's author needs them: exact signatures with descriptions while there is room, the
 * earlier tools first, then names only, with the way to search for the rest.
 */
export function renderTools(
  tools: readonly ToolDeclaration[],
  language: PromptLanguage,
  maxTokens: number,
): string {
  const notation = notations[language];
  const shown: { body: string; interfaces: readonly string[] }[] = [];
  const hidden: ToolDeclaration[] = [];
  const text = () =>
    notation.join(
      shown.map(({ body }) => body),
      shown.flatMap(({ interfaces }) => interfaces),
    );
  const maxChars = maxTokens * 4;
  // Room for the line that says how the rest is found, and for a few names.
  const tailChars = tools.length < 2 ? 0 : Math.min(200, maxChars / 4);
  let length = text().length;
  for (const tool of tools) {
    const described = notation.describe(tool);
    const { body, interfaces } = described;
    const added = indent(body).length + interfaces.join("\n").length + 40;
    if (length + added + tailChars <= maxChars) {
      shown.push(described);
      length += added;
    } else hidden.push(tool);
  }
  const known = text();
  if (hidden.length === 0) return known;
  const separator = known === "" ? "" : "\n\n";
  const room = maxChars - known.length - separator.length;
  return `${known}${separator}${renderNames(hidden, notation, room)}`.slice(0, maxChars);
}

/** Names in as many characters as there are, and the way to the rest. */
function renderNames(
  tools: readonly ToolDeclaration[],
  { comment, search }: Notation,
  room: number,
): string {
  const head = `${comment} ${tools.length} more tools; ${search} gives their signatures.`;
  let line = `${comment}`;
  let count = 0;
  for (const { name } of tools) {
    const next = `${line}${count === 0 ? " " : ", "}${name}`;
    if (head.length + 1 + next.length + 5 > room) break;
    line = next;
    count += 1;
  }
  if (count === 0) return head;
  return `${head}\n${line}${count < tools.length ? ", ..." : ""}`;
}
