import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { root } from "./blocks.ts";

/** How a process ended, and what it printed. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in the project's folder, its standard input empty. */
export async function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const child = spawn(command, args, {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { exitCode, stdout, stderr };
}

/** Runs a TypeScript program of the project as its readers do. */
export function runNode(file: string, env: Readonly<Record<string, string>>): Promise<Ran> {
  return run(process.execPath, ["--conditions=codemode-source", file], env);
}

/** The lines that a text has, without the end of the last. */
export function linesOf(printed: string): string[] {
  return printed === "" ? [] : printed.replace(/\n$/, "").split("\n");
}

/** Lines as a pattern of a whole text: "..." stands for any characters, alone for any lines. */
export function toPattern(lines: readonly string[]): RegExp {
  const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
  const patterns = lines.map((line) =>
    line === "..." ? "(?:.*\n)*" : `${line.split("...").map(escaped).join(".*")}\n`,
  );
  // The last line may be without its end.
  return new RegExp(`^${patterns.join("").replace(/\n$/, "\n?")}$`);
}
