import { expect, it } from "vitest";
import { growthImport, tailorWasm } from "../../../../src/sandbox/quickjs/engine/tailored-wasm.ts";
import { instructions } from "../../../../src/sandbox/quickjs/engine/wasm-code.ts";

it("finds each instruction where it stands, and not where a number looks like one", () => {
  // One function without locals: i32.const 64, f64.const, br_table 0 0, memory.grow, drop, end.
  const body = [0x41, 0xc0, 0x00, 0x44, 0x40, 0, 0x40, 0, 0x40, 0, 0x40, 0, 0x0e, 1, 0, 0];
  const code = Uint8Array.from([1, body.length + 5, 0, ...body, 0x40, 0, 0x1a, 0x0b]);
  const grows = [...instructions(code)].filter(({ opcode }) => opcode === 0x40);
  expect(grows).toEqual([{ opcode: 0x40, at: 3 + body.length }]);
});

it("refuses an instruction that it does not know, whose length it could not tell", () => {
  expect(() => [...instructions(Uint8Array.from([1, 4, 0, 0xfd, 0x0c, 0x0b]))]).toThrow("253");
});

it("has the host asked in place of each growth", () => {
  const name = (text: string) => [text.length, ...Buffer.from(text)];
  const section = (id: number, ...body: number[]) => [id, body.length, ...body];
  const wasm = Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, 1, 0x60, 1, 0x7f, 1, 0x7f),
    ...section(2, 1, ...name("wasi_snapshot_preview1"), ...name(growthImport), 0, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 2),
    ...section(7, 1, ...name("more"), 0, 1),
    ...section(10, 1, 6, 0, 0x20, 0, 0x40, 0, 0x0b),
  ]);
  const { wasm: tailored, pages } = tailorWasm(wasm, new Set(["more"]));
  const memory = new WebAssembly.Memory({ initial: pages });
  const asked: number[] = [];
  const ask = (count: number) => {
    asked.push(count);
    return count === 3 ? memory.grow(count) : -1;
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(tailored)), {
    env: { memory },
    wasi_snapshot_preview1: { [growthImport]: ask },
  });
  const more = exports.more as (pages: number) => number;
  expect([more(3), more(4), asked, memory.buffer.byteLength / 65_536]).toEqual([2, -1, [3, 4], 5]);
});
