import { type Options, type Program, parse, type Token } from "acorn";

/** A program as a script, and what is to be called at its end. */
export interface Script {
  /** Of the same lines and columns. */
  readonly code: string;
  /** An expression that is evaluated at the end: the call of the function that is the program. */
  readonly call: string;
  /** What the outcome says of the form. */
  readonly note: string;
}

type Statement = Program["body"][number];
type Declared = {
  readonly name: string;
  readonly parameters: number;
  readonly isGenerator: boolean;
};

/** What the function that is a program is given. */
const given = "{tools,context,config}";
const defaultName = "$default";

const hasModuleWords = /(?:^|[;}\s])(?:export|import)(?=[\s{*"'])/;
const typeImports =
  /^[ \t]*(?:import|export)\s+type\s[^;'"]*(?:from\s*(?:"[^"\n]*"|'[^'\n]*'))?[ \t]*;?/gm;
const functions =
  /\bfunction\s*([\w$]+)|\b(?:const|let|var)\s+([\w$]+)\s*=\s*(?:async\b\s*)?(?:function\b|\(|[\w$]+\s*=>)/g;

/**
 * A program that was written as a module, or as one function that nobody calls, as a script: `export` is
 * taken off, and the function is called with one object of tools, context and config. Undefined for every
 * other program, which runs as it stands.
 */
export function asScript(author: string): Script | undefined {
  const isModule = hasModuleWords.test(author);
  if (!isModule && !mayBeFunction(author)) return undefined;
  const code = isModule ? author.replace(typeImports, blank) : author;
  const names = new Map<string, number>();
  const onToken = (token: Token) => {
    const { type, value } = token as Token & { readonly value?: unknown };
    if (type.label === "name") names.set(String(value), (names.get(String(value)) ?? 0) + 1);
  };
  const body = parsed(code, { onToken, sourceType: isModule ? "module" : "script", ...always });
  if (body === undefined) return undefined;
  const edits = new Edits(code);
  const statements = body.flatMap((statement) => plain(statement, edits) ?? []);
  const called = calledAtEnd(body, statements, names);
  const isSame = edits.text === author && called === undefined;
  return isSame ? undefined : { code: edits.text, call: "", note: "", ...called };
}

const always = {
  ecmaVersion: "latest",
  allowAwaitOutsideFunction: true,
  allowReturnOutsideFunction: true,
  allowHashBang: true,
} as const;

function parsed(code: string, options: Options): Program["body"] | undefined {
  try {
    return parse(code, options).body;
  } catch {
    return undefined; // QuickJS says what is wrong with it
  }
}

/** Whether a function of the program has a name that occurs once: cheaper than to parse. */
function mayBeFunction(code: string): boolean {
  for (const [, declared, assigned] of code.matchAll(functions)) {
    const name = declared ?? assigned ?? "";
    const at = code.indexOf(name);
    if (code.indexOf(name, at + name.length) < 0) return true;
    if (
      new RegExp(`(?<![\\w$])${name.replaceAll("$", "\\$")}(?![\\w$])`, "g")[Symbol.match](code)
        ?.length === 1
    )
      return true;
  }
  return false;
}

/** A statement as a script has it, or undefined for what is taken off. */
function plain(statement: Statement, edits: Edits): Statement | undefined {
  switch (statement.type) {
    case "ImportDeclaration": {
      if (statement.source.value !== "tools") return statement;
      const named: string[] = [];
      let whole = "";
      for (const specifier of statement.specifiers) {
        const local = specifier.local.name;
        if (specifier.type !== "ImportSpecifier") whole = local;
        else named.push(`${nameOf(specifier.imported)}:${local}`);
      }
      const constants = [whole && `${whole}=tools`, named.length > 0 && `{${named}}=tools`];
      edits.replace(statement.start, statement.end, `const ${constants.filter(Boolean).join()};`);
      return undefined;
    }
    case "ExportNamedDeclaration":
      if (statement.source != null) return statement;
      edits.replace(statement.start, statement.declaration?.start ?? statement.end, "");
      return statement.declaration ?? undefined;
    case "ExportDefaultDeclaration": {
      const { declaration, start } = statement;
      if ("id" in declaration && declaration.id != null) {
        edits.replace(start, declaration.start, "");
        return declaration as Statement;
      }
      edits.replace(start, declaration.start, `var ${defaultName}=(`);
      edits.insert(declaration.end, ")");
      return undefined;
    }
    default:
      return statement;
  }
}

function nameOf(node: { readonly type: string }): string {
  const { name, value } = node as { name?: string; value?: unknown };
  return name ?? JSON.stringify(value);
}

/** The call of the function that is the program, or why it is not called; undefined where there is none. */
function calledAtEnd(
  body: readonly Statement[],
  statements: readonly Statement[],
  names: ReadonlyMap<string, number>,
): Pick<Script, "call" | "note"> | undefined {
  const declaration = body.find((each) => each.type === "ExportDefaultDeclaration")?.declaration;
  if (declaration !== undefined && !("id" in declaration && declaration.id != null)) {
    if (declaration.type === "ClassDeclaration") return undefined;
    const call = `typeof ${defaultName}==='function'&&${defaultName}.length<2?${defaultName}(${given}):${defaultName}`;
    return { call, note: "" };
  }
  const declared = statements.flatMap(functionsOf);
  const [only] = declared;
  if (only === undefined || declared.length > 1 || only.isGenerator) return undefined;
  if (names.get(only.name) !== 1 || !statements.every(isDeclaration)) return undefined;
  if (only.parameters <= 1) return { call: `${only.name}(${given})`, note: "" };
  const takes = `it takes ${only.parameters} parameters, and a program's function takes one at the most`;
  return { call: "", note: `the function ${only.name} was not called: ${takes}, ${given}` };
}

function functionsOf(statement: Statement): Declared[] {
  if (statement.type === "FunctionDeclaration") {
    return [
      {
        name: statement.id.name,
        parameters: statement.params.length,
        isGenerator: statement.generator,
      },
    ];
  }
  if (statement.type !== "VariableDeclaration") return [];
  return statement.declarations.flatMap(({ id, init }) => {
    const isFunction =
      init?.type === "ArrowFunctionExpression" || init?.type === "FunctionExpression";
    if (!isFunction || id.type !== "Identifier") return [];
    return [{ name: id.name, parameters: init.params.length, isGenerator: init.generator }];
  });
}

/** Whether a statement only declares something, so that nothing happens unless the function is called. */
function isDeclaration(statement: Statement): boolean {
  const { type } = statement;
  if (type === "FunctionDeclaration" || type === "EmptyStatement") return true;
  if (type === "VariableDeclaration") return true;
  return type === "ExpressionStatement" && statement.directive !== undefined;
}

function blank(text: string): string {
  return text.replace(/[^\n\r]/g, " ");
}

/** Changes to a text that leave every line where it is, and columns wherever there is room. */
class Edits {
  text: string;
  #shift = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** Puts a text in place of what stands there; blanks fill what is left. Later places only. */
  replace(start: number, end: number, text: string): void {
    const [from, to] = [start + this.#shift, end + this.#shift];
    const old = this.text.slice(from, to);
    const filled = text + blank(old).slice(text.length);
    // A line's end that the text would have covered is kept after it.
    const lost = old.slice(0, text.length).replace(/[^\n]/g, "");
    this.#put(from, to, filled + lost);
  }

  insert(at: number, text: string): void {
    this.#put(at + this.#shift, at + this.#shift, text);
  }

  #put(from: number, to: number, text: string): void {
    this.text = this.text.slice(0, from) + text + this.text.slice(to);
    this.#shift += text.length - (to - from);
  }
}
