import {
  apply,
  hidden,
  NewUint8Array,
  toText,
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

/** Keeps `TextEncoder` and `TextDecoder` to what arrays have. For the prelude, once. */
export function guardEncoding(): void {
  hidden(TextEncoder.prototype, "encodeInto", methods.encodeInto);
  hidden(TextDecoder.prototype, "decode", methods.decode);
}
