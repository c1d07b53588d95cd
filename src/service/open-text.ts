interface Grammar {
  /** Whatever may hold the beginning of a text or comment of several lines, or begins one. */
  readonly tokens: RegExp;
  /** What ends each that goes on after its line. */
  readonly ends: ReadonlyMap<string, RegExp>;
}

const strings = String.raw`"(?:\\.|[^"\\])*"?|'(?:\\.|[^'\\])*'?`;

const python: Grammar = {
  tokens: new RegExp(`"""|'''|#.*|${strings}`, "g"),
  ends: new Map([
    ['"""', /\\.|"""/g],
    ["'''", /\\.|'''/g],
  ]),
};

const javascript: Grammar = {
  tokens: new RegExp(String.raw`/\*|//.*|${strings}|${"`(?:\\\\.|[^`\\\\])*`?"}`, "g"),
  ends: new Map([["/*", /\*\//g]]),
};

const grammars: ReadonlyMap<string, Grammar> = new Map([
  ["python", python],
  ["javascript", javascript],
  ["typescript", javascript],
]);

/**
 * What a line of a program leaves open, `"""` or the beginning of a comment, after what was open
 * before it; empty for nothing. A reader of tokens, no parser: the line may be anything.
 */
export function openAfter(line: string, open: string, language: string): string {
  const grammar = grammars.get(language);
  if (grammar === undefined) return "";
  let now = open;
  let at = 0;
  while (at < line.length) {
    const pattern = grammar.ends.get(now) ?? grammar.tokens;
    pattern.lastIndex = at;
    const token = pattern.exec(line)?.[0];
    if (token === undefined) return now;
    at = pattern.lastIndex;
    if (now === "") now = grammar.ends.has(token) ? token : "";
    else if (!token.startsWith("\\")) now = "";
  }
  return now;
}
