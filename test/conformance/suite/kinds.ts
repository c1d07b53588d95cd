import type { BeyondKind, Capability, ExactKind } from "../programs/programs.ts";

/** A kind of value, and the JSON text that it has wherever it goes. */
export interface ExactValue {
  readonly kind: ExactKind;
  readonly json: string;
  readonly needs?: Capability;
}

const nestedJson = '{"b":[1,[2,[3]]],"a":{"c":null,"":{}}}';

/** Values that cross every border exactly. */
export const exactValues: readonly ExactValue[] = [
  { kind: "null", json: "null", needs: "null" },
  { kind: "true", json: "true", needs: "booleans" },
  { kind: "false", json: "false", needs: "booleans" },
  { kind: "zero", json: "0" },
  { kind: "integer", json: "42" },
  { kind: "negative integer", json: "-7" },
  { kind: "2**53 - 1", json: "9007199254740991" },
  { kind: "2**53 + 1", json: "9007199254740993", needs: "exact integers" },
  { kind: "-2**63", json: "-9223372036854775808", needs: "exact integers" },
  { kind: "10**300", json: `1${"0".repeat(300)}`, needs: "exact integers" },
  { kind: "a tenth", json: "0.1", needs: "fractions" },
  { kind: "1e308", json: "1e+308", needs: "fractions" },
  { kind: "5e-324", json: "5e-324", needs: "fractions" },
  { kind: "empty text", json: '""', needs: "text" },
  { kind: "text", json: '"é日🙂"', needs: "text" },
  { kind: "escapes", json: '"\\"\\\\\\n\\t\\u0000\u2028"', needs: "text" },
  { kind: "empty array", json: "[]", needs: "containers" },
  { kind: "empty object", json: "{}", needs: "containers" },
  { kind: "nested", json: nestedJson, needs: "containers" },
  { kind: "60 levels", json: nestedArrays(60), needs: "containers" },
  { kind: "64 levels", json: nestedArrays(64), needs: "containers" },
];

/** Values that are not JSON, and a part of what a refusal says beside the place. */
export const beyondValues: readonly {
  readonly kind: BeyondKind;
  readonly place: string;
  /** Name of the conversion by which it is null in a result. */
  readonly nullAs?: string;
}[] = [
  { kind: "NaN", place: "$.v", nullAs: "nan" },
  { kind: "infinity", place: "$.v", nullAs: "inf" },
  { kind: "10**309", place: "$.v" },
  { kind: "lone surrogate", place: "$.v" },
  { kind: "cycle", place: "$.v[0]" },
  { kind: "65 levels", place: `$.v${"[0]".repeat(63)}` },
  { kind: "function", place: "$.v[0]" },
];

/** JSON text of arrays in arrays. */
export function nestedArrays(depth: number): string {
  return "[".repeat(depth) + "]".repeat(depth);
}
