import { Reader } from "./wasm-reader.ts";

// Opcodes and what follows each of them: https://webassembly.github.io/spec/core/binary/instructions.html
const branchTable = 0x0e;
const selectTyped = 0x1c;
const float32 = 0x43;
const float64 = 0x44;
const extended = 0xfc;
/** How many numbers follow the extended opcodes: conversions that saturate, and memory in bulk. */
const numbersAfterExtended = [0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1];

/** An instruction, and where in a code section it stands. */
export interface Instruction {
  readonly opcode: number;
  readonly at: number;
}

/** All instructions of a code section's body. Throws at one that it does not know. */
export function* instructions(body: Uint8Array): Generator<Instruction> {
  const reader = new Reader(body);
  for (let functions = reader.number(); functions > 0; functions -= 1) {
    const end = reader.number() + reader.at;
    for (let groups = reader.number(); groups > 0; groups -= 1) {
      reader.number();
      reader.byte();
    }
    while (reader.at < end) {
      const { at } = reader;
      const opcode = reader.byte();
      skipOperands(reader, opcode);
      yield { opcode, at };
    }
  }
}

function skipOperands(reader: Reader, opcode: number): void {
  switch (opcode) {
    case branchTable:
      skipNumbers(reader, reader.number() + 1);
      return;
    case selectTyped:
      reader.bytes(reader.number());
      return;
    case float32:
      reader.bytes(4);
      return;
    case float64:
      reader.bytes(8);
      return;
    case extended: {
      const count = numbersAfterExtended[reader.number()];
      if (count === undefined) throw unknown(opcode);
      skipNumbers(reader, count);
      return;
    }
    default:
      skipNumbers(reader, numbersAfter(opcode));
  }
}

/** How many numbers follow an opcode; the type of a block and a constant are one each. */
function numbersAfter(opcode: number): number {
  if (opcode <= 0x01 || opcode === 0x05 || opcode === 0x0b || opcode === 0x0f) return 0;
  if (opcode >= 0x02 && opcode <= 0x04) return 1; // block, loop, if
  if (opcode === 0x0c || opcode === 0x0d || opcode === 0x10) return 1; // branches, call
  if (opcode === 0x11) return 2; // call_indirect
  if (opcode === 0x1a || opcode === 0x1b) return 0; // drop, select
  if (opcode >= 0x20 && opcode <= 0x26) return 1; // variables and tables
  if (opcode >= 0x28 && opcode <= 0x3e) return 2; // loads and stores
  if (opcode >= 0x3f && opcode <= 0x42) return 1; // size and growth of memory, integers
  if (opcode >= 0x45 && opcode <= 0xc4) return 0; // arithmetic
  throw unknown(opcode);
}

function skipNumbers(reader: Reader, count: number): void {
  for (let left = count; left > 0; left -= 1) reader.number();
}

function unknown(opcode: number): Error {
  return new Error(`the WASM program has an instruction that is not known: ${opcode}`);
}
