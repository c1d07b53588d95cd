import { host } from "./host.ts";
import {
  append,
  hidden,
  NewDomException,
  NewProxy,
  NewUint8Array,
  numberText,
  slice,
  toText,
  toUpperCase,
  typedArrayTag,
} from "./primordials.ts";

const { imul } = Math;

/** State of xoshiro128**, https://prng.di.unimi.it */
let a = 1;
let b = 2;
let c = 3;
let d = 4;

/** Seeds `Math.random`: the same numbers for the same seed. */
export function seedRandom(low: number, high: number): void {
  // As its authors advise, another generator fills the state: a plain seed has too many zeros.
  let state = low ^ imul(high, 0x9e3779b1);
  const next = () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return mixed ^ (mixed >>> 15);
  };
  a = next() ^ low;
  b = next() ^ high;
  c = next();
  d = next() | 1;
}

function next32(): number {
  const multiplied = imul(b, 5);
  const result = imul((multiplied << 7) | (multiplied >>> 25), 9) >>> 0;
  const shifted = b << 9;
  c ^= a;
  d ^= b;
  b ^= c;
  a ^= d;
  c ^= shifted;
  d = (d << 11) | (d >>> 21);
  return result;
}

/** `Math.random`, by the program's seed. */
export function random(): number {
  return ((next32() >>> 5) * 2 ** 26 + (next32() >>> 6)) / 2 ** 53;
}

const integerArrays: Record<string, number> = {
  __proto__: null as never,
  Int8Array: 1,
  Uint8Array: 1,
  Uint8ClampedArray: 1,
  Int16Array: 2,
  Uint16Array: 2,
  Int32Array: 4,
  Uint32Array: 4,
  BigInt64Array: 8,
  BigUint64Array: 8,
};

interface IntegerArray {
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;
  readonly byteLength: number;
}

const maxRandomBytes = 65_536;

/** `crypto.getRandomValues`: numbers that nobody can predict. */
export function getRandomValues<T>(array: T): T {
  const tag = typedArrayTag(array);
  if (tag === undefined || integerArrays[tag] === undefined) {
    throw new NewDomException("the array must be of integers", "TypeMismatchError");
  }
  const { buffer, byteOffset, byteLength } = array as unknown as IntegerArray;
  if (byteLength > maxRandomBytes) {
    throw new NewDomException(
      `${byteLength} bytes were asked for, at most ${maxRandomBytes} are given`,
      "QuotaExceededError",
    );
  }
  const bytes = new NewUint8Array(buffer, byteOffset, byteLength);
  for (let index = 0; index < byteLength; index += 4) {
    const word = host.n();
    for (let byte = 0; byte < 4 && index + byte < byteLength; byte++) {
      bytes[index + byte] = (word >>> (8 * byte)) & 0xff;
    }
  }
  return array;
}

/** `crypto.randomUUID`. */
function randomUuid(): string {
  const hex = (word: number) => slice(numberText(word + 2 ** 32, 16), 1);
  const second = hex(((host.n() & 0xffff0fff) | 0x4000) >>> 0);
  const third = hex(((host.n() & 0x3fffffff) | 0x80000000) >>> 0);
  const middle = `${slice(second, 0, 4)}-${slice(second, 4)}-${slice(third, 0, 4)}`;
  return `${hex(host.n())}-${middle}-${slice(third, 4)}${hex(host.n())}`;
}

const algorithms: Record<string, string> = {
  __proto__: null as never,
  "SHA-1": "sha1",
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

/** `crypto.subtle.digest`, of the engine's own. */
async function digest(algorithm: unknown, data: unknown): Promise<ArrayBuffer> {
  const asked =
    typeof algorithm === "object" && algorithm !== null ? algorithm : { name: algorithm };
  const name = algorithms[toUpperCase(toText((asked as { name?: unknown }).name))];
  if (name === undefined)
    throw new NewDomException("Unrecognized algorithm name", "NotSupportedError");
  const view = isView(data)
    ? new NewUint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new NewUint8Array(data as ArrayBuffer);
  let hex = "";
  for (let index = 0; index < view.length; index++) hex += byteTexts[view[index] as number];
  const words = host.d(name, hex, -1);
  const result = new NewUint8Array(4 * words);
  for (let word = 0; word < words; word++) {
    const bits = host.d("", "", word);
    for (let byte = 0; byte < 4; byte++)
      result[4 * word + byte] = (bits >>> (24 - 8 * byte)) & 0xff;
  }
  return result.buffer;
}

const isView = ArrayBuffer.isView;
const byteTexts: string[] = [];
for (let byte = 0; byte < 256; byte++) append(byteTexts, slice(numberText(byte + 256, 16), 1));

/** What there is not, by name: nothing of it is missing in silence. */
const subtle = new NewProxy({ digest }, {
  __proto__: null,
  get(target: { digest: unknown }, name: string | symbol) {
    if (name === "digest" || typeof name === "symbol" || name === "then") {
      return (target as Record<string | symbol, unknown>)[name];
    }
    throw new NewDomException(
      `crypto.subtle.${name} is not here: only digest is`,
      "NotSupportedError",
    );
  },
} as ProxyHandler<{ digest: unknown }>);

/** Puts `crypto` in its place. For the prelude, once. */
export function defineCrypto(): void {
  class Crypto {
    get subtle(): unknown {
      return subtle;
    }

    getRandomValues<T>(array: T): T {
      return getRandomValues(array);
    }

    randomUUID(): string {
      return randomUuid();
    }
  }
  hidden(globalThis, "crypto", new Crypto());
  hidden(Math, "random", random);
}
