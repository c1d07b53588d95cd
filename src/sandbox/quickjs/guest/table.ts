import { inspect } from "./format.ts";
import {
  append,
  getPrototypeOf,
  hasOwn,
  isArray,
  isInstance,
  keys,
  mapForEach,
  NewMap,
  NewSet,
  setForEach,
  toText,
} from "./primordials.ts";

interface Column {
  readonly title: string;
  readonly cells: (string | undefined)[];
}

/** A table as `console.table` of Node draws it; undefined for a value that is printed as `log` prints it. */
export function table(data: unknown, only: unknown): string | undefined {
  if (typeof data !== "object" || data === null) return undefined;
  const isList = isInstance(data, NewMap) || isInstance(data, NewSet);
  const index: Column = { title: isList ? "(iteration index)" : "(index)", cells: [] };
  const columns: Column[] = [index];
  const values: Column = { title: "Values", cells: [] };
  let rows = 0;
  const addRow = (name: string, value: unknown, key?: { readonly value: unknown }) => {
    index.cells[rows] = name;
    if (key !== undefined) cell(columns, "Key", rows, key.value);
    if (typeof value === "object" && value !== null && !isList) {
      const names = isArray(only) ? (only as unknown[]) : keys(value);
      for (let at = 0; at < names.length; at++) {
        const title = toText(names[at]);
        if (hasOwn(value, title))
          cell(columns, title, rows, (value as Record<string, unknown>)[title]);
        else if (isArray(only)) column(columns, title);
      }
    } else values.cells[rows] = shown(value);
    rows += 1;
  };
  if (isInstance(data, NewMap)) {
    mapForEach(data as Map<unknown, unknown>, (value, key) =>
      addRow(toText(rows), value, { value: key }),
    );
  } else if (isInstance(data, NewSet)) {
    setForEach(data as Set<unknown>, (value) => addRow(toText(rows), value));
  } else {
    const names = keys(data);
    for (let at = 0; at < names.length; at++) {
      const name = names[at] as string;
      addRow(name, (data as Record<string, unknown>)[name]);
    }
  }
  if (values.cells.length > 0) append(columns, values);
  return draw(columns, rows);
}

function column(columns: Column[], title: string): Column {
  for (let at = 1; at < columns.length; at++) {
    const known = columns[at] as Column;
    if (known.title === title) return known;
  }
  const made: Column = { title, cells: [] };
  append(columns, made);
  return made;
}

function cell(columns: Column[], title: string, row: number, value: unknown): void {
  column(columns, title).cells[row] = shown(value);
}

function shown(value: unknown): string {
  const isPlain = typeof value === "object" && value !== null && getPrototypeOf(value) !== null;
  const depth = isPlain && !isArray(value) && keys(value as object).length > 2 ? -1 : 0;
  return inspect(value, { depth, maxArrayLength: 3, breakLength: Number.POSITIVE_INFINITY });
}

function draw(columns: readonly Column[], rows: number): string {
  const widths: number[] = [];
  for (let at = 0; at < columns.length; at++) {
    const { title, cells } = columns[at] as Column;
    let width = title.length;
    for (let row = 0; row < rows; row++) {
      const { length } = cells[row] ?? "";
      if (length > width) width = length;
    }
    append(widths, width);
  }
  const border = (left: string, between: string, right: string) => {
    let text = left;
    for (let at = 0; at < widths.length; at++) {
      text += `${at === 0 ? "" : between}${repeated("─", (widths[at] as number) + 2)}`;
    }
    return text + right;
  };
  const line = (textOf: (each: Column) => string) => {
    let text = "│";
    for (let at = 0; at < columns.length; at++) {
      const content = textOf(columns[at] as Column);
      text += ` ${content}${repeated(" ", (widths[at] as number) - content.length)} │`;
    }
    return text;
  };
  let text = `${border("┌", "┬", "┐")}\n${line(({ title }) => title)}\n${border("├", "┼", "┤")}\n`;
  for (let row = 0; row < rows; row++) text += `${line(({ cells }) => cells[row] ?? "")}\n`;
  return text + border("└", "┴", "┘");
}

function repeated(part: string, count: number): string {
  let text = "";
  for (let times = 0; times < count; times++) text += part;
  return text;
}
