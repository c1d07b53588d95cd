import type { Summary } from "./stats.ts";

/** One line of the table; what does not apply is left out. */
export interface Row {
  readonly figure: string;
  readonly median?: string;
  readonly p99?: string;
  /** What it is seen beside: a ratio, a rate, a size. */
  readonly beside?: string;
  readonly bar?: Bar;
}

/** What was to be reached, and whether it was. */
export interface Bar {
  readonly text: string;
  readonly verdict: string;
}

/** A bar from above; the unit is part of the text, such as "x" or " %". */
export function atMost(measured: number, limit: number, unit: string): Bar {
  return bar(`at most ${limit}${unit}`, measured - limit, measured, unit);
}

/** A bar from below. */
export function atLeast(measured: number, limit: number, unit: string): Bar {
  return bar(`at least ${limit}${unit}`, limit - measured, measured, unit);
}

/** The cells of a summary of milliseconds. */
export function times({ p50, p99 }: Summary): Pick<Row, "median" | "p99"> {
  return { median: formatMs(p50), p99: formatMs(p99) };
}

/** Such as "0.412 ms" or "23.1 ms". */
export function formatMs(ms: number): string {
  return `${ms < 1 ? ms.toFixed(3) : ms < 100 ? ms.toFixed(2) : ms.toFixed(0)} ms`;
}

/** Such as "84.1 MB", decimal. */
export function formatMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Such as "2.31x". */
export function formatRatio(ratio: number): string {
  return `${ratio.toFixed(2)}x`;
}

/** The rows as one aligned table that is also Markdown. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.figure,
    row.median ?? "",
    row.p99 ?? "",
    row.beside ?? "",
    row.bar?.text ?? "",
    row.bar?.verdict ?? "",
  ]);
  return formatGrid(["figure", "median", "p99", "beside it", "bar", "verdict"], cells);
}

/** A table of columns by their heads, each with its cells by the names of the rows. */
export function formatColumns(
  columns: ReadonlyMap<string, Readonly<Record<string, string>>>,
): string {
  const names = new Set([...columns.values()].flatMap((column) => Object.keys(column)));
  const lines = [...names].map((name) => [
    name,
    ...[...columns.values()].map((column) => column[name] ?? ""),
  ]);
  return formatGrid(["figure", ...columns.keys()], lines, () => false);
}

function formatGrid(
  head: readonly string[],
  cells: readonly (readonly string[])[],
  isNumeric: (column: number) => boolean = (column) => column === 1 || column === 2,
): string {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...cells.map((line) => (line[column] ?? "").length)),
  );
  const format = (line: readonly string[]) =>
    `| ${line.map((cell, column) => pad(cell, widths[column] ?? 0, isNumeric(column))).join(" | ")} |`;
  const rule = `|${widths
    .map((width, column) => "-".repeat(width + 1) + (isNumeric(column) ? ":" : "-"))
    .join("|")}|`;
  return [format(head), rule, ...cells.map(format)].join("\n");
}

function bar(text: string, excess: number, measured: number, unit: string): Bar {
  const format = (value: number) => `${value < 10 ? value.toFixed(2) : value.toFixed(1)}${unit}`;
  // A figure that could not be measured has not reached anything.
  const isReached = excess <= 0;
  const verdict = isReached ? `reached, ${format(measured)}` : `missed by ${format(excess)}`;
  return { text, verdict };
}

function pad(cell: string, width: number, isNumeric: boolean): string {
  return isNumeric ? cell.padStart(width) : cell.padEnd(width);
}
