import { readFile } from "node:fs/promises";
import { extname, resolve } from "node:path";
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
    // npm runs its scripts in the project's folder and tells here where it was called.
    return await readFile(resolve(process.env.INIT_CWD ?? ".", file), "utf8");
  } catch (cause) {
    const why = new Map([
      ["ENOENT", "no such file"],
      ["EISDIR", "a folder, not a file"],
      ["EACCES", "not allowed to read it"],
    ]).get((cause as NodeJS.ErrnoException).code ?? "");
    throw new Error(`${file}: ${why ?? "cannot be read"}`, { cause });
  }
}
