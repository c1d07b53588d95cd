const kept = new Set(
  [
    "Object Function Array Number parseFloat parseInt Infinity NaN undefined Boolean String Symbol Date",
    "Promise RegExp Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError",
    "globalThis JSON Math Intl ArrayBuffer Atomics Uint8Array Int8Array Uint16Array Int16Array Uint32Array",
    "Int32Array Float32Array Float64Array Uint8ClampedArray BigUint64Array BigInt64Array DataView Map BigInt",
    "Set WeakMap WeakSet WeakRef Proxy Reflect FinalizationRegistry SharedArrayBuffer TextDecoder TextEncoder",
    "Buffer performance crypto WebAssembly isNaN isFinite console encodeURI encodeURIComponent decodeURI",
    "decodeURIComponent Iterator DisposableStack AsyncDisposableStack SuppressedError DOMException",
  ].flatMap((line) => line.split(" ")),
);

/**
 * Takes from this thread's global object all that reaches beyond it: `process`, the network, timers,
 * workers. WebAssembly code cannot name them; this is for the day on which some way to do so is found.
 */
export function removeGlobals(): void {
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!kept.has(name)) Reflect.deleteProperty(globalThis, name);
  }
}
