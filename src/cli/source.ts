import { readFile } from "node:fs/promises";
import { dirname, extname, resolve } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

const languages: Readonly<Record<string, string>> = {
  ".js": "javascript",
  ".mjs": "javascript",
  ".ts": "typescript",
  ".mts": "typescript",
};

/** The language of a file by its ending; undefined, the service's default, for any other. */
export function languageOf(file: string): string | undefined {
  return languages[extname(file)];
}

/** The program in a file, or on standard input for "-". */
export async function readSource(
  file: string,
  stdin: Readable & { readonly isTTY?: boolean },
): Promise<string> {
  if (file === "-") return await text(stdin);
  try {
    return await readFile(resolve(folderOf(process.env), file), "utf8");
  } catch (cause) {
    const why = new Map([
      ["ENOENT", "no such file"],
      ["EISDIR", "a folder, not a file"],
      ["EACCES", "not allowed to read it"],
    ]).get((cause as NodeJS.ErrnoException).code ?? "");
    throw new Error(`${file}: ${why ?? "cannot be read"}`, { cause });
  }
}

/** Where names of files begin: npm runs its scripts in the package's folder, and tells where it was called. */
function folderOf({ INIT_CWD = ".", npm_package_json = "" }: NodeJS.ProcessEnv): string {
  const isScript = dirname(npm_package_json) === process.cwd();
  return isScript ? INIT_CWD : ".";
}
