import {
  apply,
  fromCharCode,
  hidden,
  isListed,
  NewTypeError,
  NewUint8Array,
  toLowerCase,
  toText,
  toWellFormed,
  typedArrayBuffer,
  typedArrayBytes,
  typedArrayOffset,
  typedArrayTag,
} from "./primordials.ts";

const { encodeInto } = TextEncoder.prototype;
const { decode } = TextDecoder.prototype;

// The engine's own take an array's place and length first, and run the program's code then: that may
// have made its buffer shorter when they write.
const methods = {
  encodeInto(this: unknown, text: unknown, target: unknown): unknown {
    const isObject = typeof text === "object" || typeof text === "function";
    const source = isObject ? toText(text) : text;
    const isOfBytes = typedArrayTag(target) === "Uint8Array";
    return apply(encodeInto, this, [source, isOfBytes ? bytesOf(target) : undefined] as never);
  },
  decode(this: unknown, input?: unknown, options?: { readonly stream?: unknown }): string {
    const stream = !!options?.stream;
    const taken = { __proto__: null, stream } as object;
    return apply(decode, this, [bytesOf(input), taken] as never) as string;
  },
};

/** The bytes that an array has now, where its buffer may have become shorter; anything else as it is. */
function bytesOf(array: unknown): unknown {
  const tag = typedArrayTag(array);
  if (tag === undefined) return array;
  return new NewUint8Array(
    typedArrayBuffer(array),
    typedArrayOffset(array),
    typedArrayBytes(array),
  );
}

const NativeDecoder = TextDecoder;
const oneByte = [
  "latin1",
  "iso-8859-1",
  "iso8859-1",
  "l1",
  "ascii",
  "us-ascii",
  "windows-1252",
  "cp1252",
];
const twoBytes = ["utf-16le", "utf-16", "ucs-2", "unicode", "utf16le"];
// What windows-1252 has from 0x80 to 0x9f; see encoding.spec.whatwg.org.
const upper =
  "\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178";

/** Adds `latin1` and `utf-16le` to what the engine's own decoder knows. */
function defineDecoder(): void {
  class Decoder extends NativeDecoder {
    readonly #width: 0 | 1 | 2;

    constructor(
      label: unknown = "utf-8",
      options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean },
    ) {
      const name = toLowerCase(toText(label));
      const width = isListed(oneByte, name) ? 1 : isListed(twoBytes, name) ? 2 : 0;
      super(width === 0 ? name : "utf-8", options);
      this.#width = width;
      if (width > 0) hidden(this, "encoding", width === 1 ? "windows-1252" : "utf-16le");
    }

    override decode(input?: unknown, options?: { readonly stream?: boolean }): string {
      if (this.#width === 0) return apply(methods.decode, this, [input, options]) as string;
      if (options?.stream)
        throw new NewTypeError(`${this.encoding} cannot be decoded in pieces here`);
      const bytes = input === undefined ? new NewUint8Array(0) : bytesIn(input);
      let text = "";
      for (let at = 0; at + this.#width <= bytes.length; at += this.#width) {
        const low = bytes[at] as number;
        if (this.#width === 2) text += fromCharCode(low + 256 * (bytes[at + 1] as number));
        else text += low >= 0x80 && low < 0xa0 ? (upper[low - 0x80] as string) : fromCharCode(low);
      }
      return this.#width === 2 ? toWellFormed(text) : text;
    }
  }
  hidden(Decoder, "name", "TextDecoder");
  hidden(globalThis, "TextDecoder", Decoder);
}

function bytesIn(input: unknown): Uint8Array {
  const { buffer, byteOffset, byteLength } = input as Partial<Uint8Array>;
  return buffer === undefined
    ? new NewUint8Array(input as ArrayBuffer)
    : new NewUint8Array(buffer, byteOffset, byteLength);
}

/** Keeps `TextEncoder` and `TextDecoder` to what arrays have. For the prelude, once. */
export function guardEncoding(): void {
  hidden(TextEncoder.prototype, "encodeInto", methods.encodeInto);
  hidden(TextDecoder.prototype, "decode", methods.decode);
  defineDecoder();
}
