const noModules =
  "there are no modules, packages or files here: `tools` calls the tools; URL, URLSearchParams, TextEncoder, TextDecoder, crypto, structuredClone, atob, btoa and timers are global";

const missingGlobals: Readonly<Record<string, string>> = {
  require: noModules,
  module: noModules,
  exports: noModules,
  fetch: "there is no network here: call a tool",
  XMLHttpRequest: "there is no network here: call a tool",
  WebSocket: "there is no network here: call a tool",
  process: "there is no process here: the caller's variables are in `context` and `config`",
  codemode: "the tools are in `tools`: await tools.name({ ... })",
  Buffer: "use Uint8Array, TextEncoder, TextDecoder, atob and btoa",
};

/** What a program is told that imports a module. */
export const importError = `import is not available: ${noModules}`;

/** What to write instead of a line that does not parse; empty where there is nothing to say. */
export function syntaxHint(line: string, language: string): string {
  const text = line.slice(0, 1000);
  if (/^\s*import\b(?!\s*\()/.test(text)) {
    const name = /(?:\bfrom|^\s*import)\s*["']([^"']{1,64})["']/.exec(text)?.[1];
    return name === undefined ? importError : `no module ${JSON.stringify(name)}: ${noModules}`;
  }
  if (/^\s*export\b/.test(text)) return `nothing can be exported from elsewhere: ${noModules}`;
  if (/(?:^|[=(,?:&|>\s])<(?:>|[A-Za-z][\w.]*(?:\s[^<>]*)?\/?>)/.test(text)) {
    return "JSX cannot be run here: write plain functions and objects";
  }
  if (/^\s*@\w/.test(text)) return "decorators cannot be run here: call the function";
  const hasTypes =
    /^\s*(?:interface|type|enum|namespace|declare)\s+\w|[\w)\]]\??\s*:\s*\w+[^"'`]*=/;
  if (language === "javascript" && hasTypes.test(text)) return "types need the language typescript";
  return "";
}

/** What there is instead of a name that does not exist; empty where there is nothing to say. */
export function missingHint(type: string, message: string): string {
  if (type === "RangeError" && message.startsWith("too many arguments in function call")) {
    return "use a loop, reduce or concat in place of spreading so many";
  }
  if (type !== "ReferenceError") return "";
  const name = /^'?(\w+)'? is not defined/.exec(message)?.[1] ?? "";
  return Object.hasOwn(missingGlobals, name) ? (missingGlobals[name] ?? "") : "";
}
