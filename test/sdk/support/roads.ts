import { type Codemode, defineTool, type ExecuteOptions } from "../../../src/index.ts";

const ping = defineTool({ name: "ping", description: "Answers", execute: () => "pong" });

/** The three ways in which a program is sent. */
export const roads = [
  {
    road: "Execute",
    run: (codemode: Codemode, code: string, options?: ExecuteOptions) =>
      codemode.execute(code, options),
  },
  {
    road: "ExecuteStream",
    run: (codemode: Codemode, code: string, options?: ExecuteOptions) =>
      codemode.stream(code, options).outcome,
  },
  {
    road: "ExecuteInteractive",
    run: (codemode: Codemode, code: string, options?: ExecuteOptions) =>
      codemode.stream(code, { ...options, tools: [ping] }).outcome,
  },
] as const;
