const families: readonly ReadonlySet<string>[] = [
  "python py python3 py3 ipython pycon",
  "javascript js mjs cjs jsx node nodejs ecmascript typescript ts mts cts tsx",
].map((names) => new Set(names.split(" ")));

const others: ReadonlySet<string> = new Set(
  (
    "bash sh shell zsh fish powershell ps1 bat cmd console terminal text txt plaintext plain output " +
    "log json jsonc json5 yaml yml toml ini xml html css scss sql markdown md diff patch csv java " +
    "kotlin scala go golang rust c cpp c++ csharp c# cs php ruby rb perl r lua swift dart dockerfile " +
    "makefile graphql proto mermaid http"
  ).split(" "),
);

/** Whether the word after a fence's opening names a language that is not the request's. */
export function isOtherLanguage(word: string, language: string): boolean {
  if (word === language) return false;
  const family = families.find((names) => names.has(word));
  return family === undefined ? others.has(word) : !family.has(language);
}
