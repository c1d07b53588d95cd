import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import type { ImportedFunctions } from "../../../../src/sandbox/pyodide/guest/emscripten.ts";
import { closeImports } from "../../../../src/sandbox/pyodide/guest/imports.ts";

interface Wasm {
  readonly Module: {
    new (source: Uint8Array): object;
    imports(module: object): readonly { readonly kind: string; readonly name: string }[];
  };
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };

/** Every function that Pyodide's WebAssembly imports, none of which may be called. */
function imported(): Record<string, () => never> {
  const path = createRequire(import.meta.url).resolve("pyodide/pyodide.asm.wasm");
  const module = new WebAssembly.Module(readFileSync(path));
  return Object.fromEntries(
    WebAssembly.Module.imports(module).map(({ name }) => [
      name,
      () => {
        throw new Error(`the original of ${name} was called`);
      },
    ]),
  );
}

const host = {
  grow: () => false,
  end: (detail: string): never => {
    throw new Error(`ended: ${detail}`);
  },
};

describe("the imports of Pyodide's WebAssembly", () => {
  const originals = imported();
  const functions: ImportedFunctions = { ...originals };
  closeImports(functions, host);
  const kept = Object.keys(originals).filter((name) => functions[name] === originals[name]);

  it("are left as they are for clocks, files in memory and Python's own, nothing else", () => {
    const other = kept.filter(
      (name) => !/^(?:fd_|__syscall_|clock_|environ_|random_get)/.test(name),
    );
    expect(other.sort()).toEqual([
      "_PyEM_TrampolineCall_JS",
      "_Py_emscripten_runtime",
      "__call_sighandler",
      "_emscripten_get_progname",
      "_emscripten_runtime_keepalive_clear",
      "_gmtime_js",
      "_localtime_js",
      "_mktime_js",
      "_mmap_js",
      "_msync_js",
      "_munmap_js",
      "_timegm_js",
      "_tzset_js",
      "emscripten_date_now",
      "emscripten_get_heap_max",
      "emscripten_get_now",
      "emscripten_runtime_keepalive_pop",
      "emscripten_runtime_keepalive_push",
    ]);
    const calls = kept.filter((name) => name.startsWith("__syscall_"));
    const outside = /socket|connect|bind|listen|accept|send|recv|pipe|ioctl|mknod|peername/;
    expect(calls.filter((name) => outside.test(name))).toEqual([]);
    expect(calls.length).toBeGreaterThan(20);
  });

  it("never call the original of any other", () => {
    const closed = Object.keys(originals).filter((name) => !kept.includes(name));
    expect(closed.length).toBeGreaterThan(200);
    for (const name of closed) {
      const call = functions[name] as (() => unknown) | undefined;
      try {
        call?.();
      } catch (error) {
        expect(String(error)).toMatch(/^Error: ended: /);
      }
    }
  });

  it.each([
    "JsProxy_GetAttr_js",
    "raw_call_js",
    "ffi_call_js",
    "_dlsym_js",
    "emscripten_asm_const_int",
  ])("end the process where %s is called", (name) => {
    expect(() => (functions[name] as () => unknown)()).toThrow(
      `ended: a closed function was called: ${name}`,
    );
  });

  it.each(["__syscall_socket", "__syscall_pipe", "_emscripten_system", "_setitimer_js"])(
    "refuse %s with EPERM",
    (name) => {
      expect((functions[name] as () => unknown)()).toBe(-63);
    },
  );
});
