#!/usr/bin/env node
import { Command } from "commander";
import { version } from "../server/version.ts";
import { CodemodeError } from "../shared/errors.ts";
import { infoCommand } from "./info.ts";
import { runCommand } from "./run.ts";
import { serveCommand } from "./serve.ts";

const program = new Command("codemode")
  .description("runs the code that AI agents write, in a locked sandbox")
  .version(version)
  .addCommand(serveCommand())
  .addCommand(runCommand())
  .addCommand(infoCommand());

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`codemode: ${describe(error)}\n`);
  process.exitCode = 1;
}

function describe(error: unknown): string {
  const { message, correlationId } = CodemodeError.is(error)
    ? error
    : { message: error instanceof Error ? error.message : String(error), correlationId: undefined };
  const line = message.replaceAll(/\s*\n\s*/g, " ");
  return correlationId === undefined ? line : `${line} (correlation id ${correlationId})`;
}
