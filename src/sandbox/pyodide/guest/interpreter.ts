import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { EmscriptenModule, ImportedFunctions } from "./emscripten.ts";
import { memoryBytesOf, readImage } from "./image.ts";
import { closeImports, type Host } from "./imports.ts";

const pageBytes = 64 * 1024;

/** An image of memory in an open file; see image.ts. */
export interface KeptMemory {
  readonly descriptor: number;
  readonly offset: number;
}

/** Options of `startInterpreter`. */
export interface InterpreterOptions {
  /** Directory of the npm package `pyodide`. */
  readonly packageDirectory: string;
  /** Python's version as its directories have it: "3.14". */
  readonly pythonVersion: string;
  readonly host: Host;
  /** Where there is none, Python starts afresh. */
  readonly memory: KeptMemory | undefined;
}

/** Python in WebAssembly, without any of Pyodide's bridge to JavaScript. */
export interface Interpreter {
  readonly module: EmscriptenModule;
  /** Runs trusted source in `__main__`; whether it ended without an exception. */
  run(source: string): boolean;
}

type CreateModule = (settings: object) => Promise<EmscriptenModule>;

/** What is used of WebAssembly, which Node's own types do not have. */
interface Wasm {
  readonly Module: new (source: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
    };
  };
}
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };

/**
 * Starts Python, afresh or from a kept memory, with WebAssembly's imports closed from the beginning:
 * of Pyodide the interpreter and its standard library are used and nothing else.
 */
export async function startInterpreter(options: InterpreterOptions): Promise<Interpreter> {
  const { packageDirectory, pythonVersion, host, memory } = options;
  const file = (name: string) => join(packageDirectory, name);
  const script = pathToFileURL(file("pyodide.asm.mjs")).href;
  const { default: create } = (await import(script)) as { default: CreateModule };
  const module = await create({
    noInitialRun: memory !== undefined,
    noImageDecoding: true,
    noAudioDecoding: true,
    noWasmDecoding: true,
    thisProgram: "python",
    arguments: [],
    print: () => {},
    printErr: () => {},
    preRun: [({ FS, ENV }: EmscriptenModule) => addLibrary(FS, ENV, { file, pythonVersion })],
    API: {
      config: { jsglobals: {}, env: {}, packages: [] },
      runtimeEnv: { IN_NODE: true, IN_NODE_ESM: true },
      lockFilePromise: new Promise(() => {}),
    },
    instantiateWasm(
      imports: { env: ImportedFunctions },
      onInstance: (instance: object, module: object) => void,
    ) {
      closeImports(imports.env, host);
      // Synchronously: while it is compiled in the background nothing keeps this thread alive.
      const compiled = new WebAssembly.Module(readFileSync(file("pyodide.asm.wasm")));
      const instance = new WebAssembly.Instance(compiled, imports);
      if (memory !== undefined) {
        const missing =
          memoryBytesOf(memory.descriptor, memory.offset) -
          instance.exports.memory.buffer.byteLength;
        if (missing > 0) instance.exports.memory.grow(Math.ceil(missing / pageBytes));
      }
      onInstance(instance, compiled);
      return {};
    },
  });
  if (memory !== undefined) readImage(memory.descriptor, memory.offset, bytesOf(module));
  return {
    module,
    run(source) {
      const text = module.stringToNewUTF8(source);
      const status = module._PyRun_SimpleString(text);
      module._free(text);
      return status === 0;
    },
  };
}

/** WebAssembly memory as it is now; it moves when it grows. */
export function bytesOf({ HEAP8 }: EmscriptenModule): Uint8Array {
  return new Uint8Array(HEAP8.buffer, HEAP8.byteOffset, HEAP8.length);
}

function addLibrary(
  FS: EmscriptenModule["FS"],
  ENV: EmscriptenModule["ENV"],
  options: { file: (name: string) => string; pythonVersion: string },
): void {
  const library = `/lib/python${options.pythonVersion}`;
  FS.mkdirTree(`${library}/site-packages`);
  FS.mkdirTree(`${library}/lib-dynload`);
  const archive = readFileSync(options.file("python_stdlib.zip"));
  FS.writeFile(`${library.replace(".", "")}.zip`, archive, { canOwn: true });
  FS.chdir("/");
  // Without it Python would end with its main program, which is empty.
  Object.assign(ENV, { PYTHONINSPECT: "1", HOME: "/" });
}
