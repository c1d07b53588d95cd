import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { jsonOf } from "../support/programs.ts";
import { startQuickjs } from "../support/quickjs.ts";

// Where native code of the engine's works on bytes while the program's own code runs.
describe("the bytes of a JavaScript program", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startQuickjs();
  });
  afterAll(() => executor[Symbol.asyncDispose]());

  const value = (code: string) => jsonOf(executor, code, { language: "javascript" });

  it.each([
    [
      "text that makes it so is written into it",
      'new TextEncoder().encodeInto({ toString() { buffer.resize(2); return "x".repeat(1e6); } }, bytes).written',
    ],
    [
      "text is written into it",
      '(buffer.resize(2), new TextEncoder().encodeInto("x".repeat(1e6), bytes).written)',
    ],
    ["it is read", "(buffer.resize(2), new TextDecoder().decode(bytes).length)"],
    [
      "an option that makes it so is read",
      "new TextDecoder().decode(bytes, { get stream() { buffer.resize(2); return false; } }).length",
    ],
  ])("reaches no memory beyond an array that has become shorter when %s", async (_when, code) => {
    const before =
      "const buffer = new ArrayBuffer(1e6, { maxByteLength: 1e6 });\nconst bytes = new Uint8Array(buffer);";
    expect(await value(`${before}\nreturn ${code};`)).toBe(2);
  });

  it("gives text and bytes as ever, in pieces and from every kind of array", async () => {
    const code = `
const decoder = new TextDecoder();
const pieces = [decoder.decode(new Uint8Array([226, 130]), { stream: true }), decoder.decode(new Uint8Array([172])), decoder.decode()];
const { buffer } = new Uint8Array([65, 66, 67]);
const bytes = new Uint8Array(6);
const written = new TextEncoder().encodeInto("\u00e9\u20acx", bytes.subarray(1));
let refused; try { new TextEncoder().encodeInto("x", new Uint16Array(2)); } catch (error) { refused = error.name; }
return [pieces, decoder.decode(buffer), decoder.decode(new DataView(buffer, 1)), decoder.decode(new Uint16Array([0x4241])), written, [...bytes], refused];`;
    expect(await value(code)).toEqual([
      ["", "\u20ac", ""],
      "ABC",
      "BC",
      "AB",
      { read: 2, written: 5 },
      [0, 195, 169, 226, 130, 172],
      "TypeError",
    ]);
  });
});
