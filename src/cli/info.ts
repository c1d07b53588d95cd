import { Command } from "commander";
import type { EngineInfo, Limits, ServerInfo } from "../shared/model.ts";
import { connectService, type ServiceOptions, withServiceOptions } from "./connection.ts";

/** `codemode info`: shows what a service is and what it can run. */
export function infoCommand(): Command {
  const command = new Command("info").description("show engines, isolation, probes and limits");
  return withServiceOptions(command).action(async (options: ServiceOptions) => {
    await using service = await connectService(options);
    process.stdout.write(formatInfo(await service.client.serverInfo()));
  });
}

/** Server information as a text for people. */
export function formatInfo(info: ServerInfo): string {
  const lines = [
    `codemode ${info.version}, instance ${info.instanceId}`,
    `requires isolation ${info.requiredIsolationTier}; waits ${seconds(info.queueTimeoutMs)} for a slot`,
    ...info.engines.flatMap((engine) => ["", ...formatEngine(engine)]),
    "",
    ...table([
      ["limit", "default", "at most"],
      ...limitRows.map(([name, field, format]) => [
        name,
        format(info.defaultLimits[field]),
        format(info.maxLimits[field]),
      ]),
      ["code", "", bytes(info.maxCodeBytes)],
      ["life without a reader", "", seconds(info.maxKeepWithoutReaderMs)],
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

function formatEngine(engine: EngineInfo): string[] {
  const tier = engine.isolationTier ?? "no tier";
  const state = engine.up ? `up, isolation ${tier}` : `not up: ${engine.reason}`;
  const name = [engine.name, engine.version].filter(Boolean).join(" ");
  return [
    `${name} (${engine.languages.join(", ")}): ${state}`,
    ...engine.warnings.map((warning) => `  warning: ${warning}`),
    ...table(
      engine.probes.map(({ name: probe, refused, detail }) => [
        `  ${refused ? "refused" : "POSSIBLE"}`,
        probe,
        detail,
      ]),
    ),
  ];
}

const limitRows: readonly [string, keyof Limits, (value: number) => string][] = [
  ["wall time", "wallMs", seconds],
  ["cpu time", "activeMs", seconds],
  ["one tool call", "waitMs", seconds],
  ["memory", "memoryBytes", bytes],
  ["output", "outputBytes", bytes],
  ["tool calls", "toolCalls", String],
  ["tool calls at once", "openToolCalls", String],
  ["threads", "threads", String],
];

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}

function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10));
  return `${Number((count / 1_024 ** power).toFixed(1))} ${units[power]}`;
}

/** Columns of equal width. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (widest, row) => row.map((cell, column) => Math.max(widest[column] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
