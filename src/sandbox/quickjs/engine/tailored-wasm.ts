import { instructions } from "./wasm-code.ts";
import { Reader } from "./wasm-reader.ts";

const importSection = 2;
const memorySection = 5;
const exportSection = 7;
const codeSection = 10;
const functionKind = 0;
const memoryKind = 2;
const call = 0x10;
const growMemory = 0x40;

/**
 * The import that is called where the program would grow its memory: it takes the number of pages, and
 * gives how many there were before, or -1. It has the type of one that closes a descriptor, of which
 * there is none.
 */
export const growthImport = "fd_close";

/** A WASM program that imports its memory. */
export interface TailoredWasm {
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The least that its memory must have. */
  readonly pages: number;
}

/**
 * The same WASM program with its memory as the import `env.memory`, so that whoever makes an instance
 * sets the most that it may grow to, with a call of the host in place of each growth, and with the
 * exports that are named: each takes room in every instance. Throws for bytes that are no WASM program with one memory.
 */
export function tailorWasm(wasm: Uint8Array, exportNames: ReadonlySet<string>): TailoredWasm {
  const parts: Uint8Array[] = [wasm.subarray(0, 8)];
  let initialPages: number | undefined;
  let growth: number | undefined;
  for (const { id, body } of sections(wasm)) {
    if (id === memorySection) initialPages = new Reader(body).memory();
    if (id === importSection) growth = importedFunctions(body).indexOf(growthImport);
  }
  if (initialPages === undefined) throw new Error("the WASM program has no memory of its own");
  for (const { id, body } of sections(wasm)) {
    if (id === memorySection) continue;
    if (id === importSection) parts.push(withImport(body, initialPages));
    else if (id === codeSection) parts.push(section(id, withCalls(body, growth ?? -1)));
    else parts.push(id === exportSection ? withExports(body, exportNames) : section(id, body));
  }
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return { wasm: whole, pages: initialPages };
}

function* sections(wasm: Uint8Array): Generator<{ id: number; body: Uint8Array }> {
  const reader = new Reader(wasm.subarray(8));
  while (!reader.isAtEnd) {
    const id = reader.byte();
    yield { id, body: reader.bytes(reader.number()) };
  }
}

/** Names of the functions that a program imports, each at its number; the others come after them. */
function importedFunctions(body: Uint8Array): string[] {
  const reader = new Reader(body);
  const names: string[] = [];
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.bytes(reader.number());
    const name = Buffer.from(reader.bytes(reader.number())).toString();
    if (reader.byte() !== functionKind)
      throw new Error("the WASM program imports more than functions");
    reader.number();
    names.push(name);
  }
  return names;
}

/** The same code with a call of a function, which is one byte long, where its memory would grow. */
function withCalls(body: Uint8Array, callee: number): Uint8Array {
  if (callee < 0 || callee > 0x7f) throw new Error("the WASM program cannot ask for growth");
  const code = new Uint8Array(body);
  for (const { opcode, at } of instructions(body)) {
    if (opcode === growMemory) code.set([call, callee], at);
  }
  return code;
}

function withImport(body: Uint8Array, pages: number): Uint8Array {
  const reader = new Reader(body);
  const count = reader.number();
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const entry = [...name("env"), ...name("memory"), memoryKind, 0, ...leb128(pages)];
  return section(
    importSection,
    Uint8Array.from([...leb128(count + 1), ...reader.rest(), ...entry]),
  );
}

function withExports(body: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const reader = new Reader(body);
  const kept: number[] = [];
  let count = 0;
  for (let left = reader.number(); left > 0; left--) {
    const name = Buffer.from(reader.bytes(reader.number()));
    const kind = reader.byte();
    const index = reader.number();
    if (!names.has(name.toString())) continue;
    count += 1;
    kept.push(...leb128(name.length), ...name, kind, ...leb128(index));
  }
  return section(exportSection, Uint8Array.from([...leb128(count), ...kept]));
}

function section(id: number, body: Uint8Array): Uint8Array {
  const head = [id, ...leb128(body.length)];
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  bytes.push(rest);
  return bytes;
}
