import { Reader } from "./wasm-reader.ts";

/** A WASM library that is linked into an instance of QuickJS, at a fixed place in it. */
export interface Extension {
  readonly name: string;
  readonly module: WebAssembly.Module;
  readonly memoryBase: number;
  readonly tableBase: number;
}

/** What a library is linked to. */
export interface LinkTarget {
  readonly memory: WebAssembly.Memory;
  readonly exports: WebAssembly.Exports;
}

/** Room that a library takes. */
export interface ExtensionSize {
  readonly memoryBytes: number;
  readonly tableSlots: number;
}

// https://github.com/WebAssembly/tool-conventions/blob/main/DynamicLinking.md
const memoryInfo = 1;

/** Reads how much room a library takes. Throws for a module that is no library. */
export function sizeOfExtension(module: WebAssembly.Module): ExtensionSize {
  const [custom] = WebAssembly.Module.customSections(module, "dylink.0");
  if (custom === undefined) throw new Error("the WASM program is no library");
  const reader = new Reader(new Uint8Array(custom));
  while (!reader.isAtEnd) {
    const kind = reader.number();
    const body = new Reader(reader.bytes(reader.number()));
    if (kind !== memoryInfo) continue;
    const memoryBytes = body.number();
    body.number();
    return { memoryBytes, tableSlots: body.number() };
  }
  return { memoryBytes: 0, tableSlots: 0 };
}

/** Names of what a library takes from the program that it is linked to. */
export function needsOfExtension(module: WebAssembly.Module): string[] {
  return WebAssembly.Module.imports(module).map(({ name }) => name);
}

/** Links a library into an instance: its functions are in the table then. Gives what it exports. */
export function linkExtension(extension: Extension, target: LinkTarget): WebAssembly.Exports {
  const { module, memoryBase, tableBase } = extension;
  const { memory, exports } = target;
  const table = exports.__indirect_function_table as WebAssembly.Table;
  const { tableSlots } = sizeOfExtension(module);
  const missing = tableBase + tableSlots - table.length;
  if (missing > 0) table.grow(missing);
  const constants: Readonly<Record<string, WebAssembly.ImportValue>> = {
    memory,
    __indirect_function_table: table,
    __memory_base: new WebAssembly.Global({ value: "i32", mutable: false }, memoryBase),
    __table_base: new WebAssembly.Global({ value: "i32", mutable: false }, tableBase),
  };
  const own: { exports?: WebAssembly.Exports } = {};
  const imports: WebAssembly.Imports = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    imports[from] ??= {};
    imports[from][name] =
      kind === "global" && from !== "env"
        ? new WebAssembly.Global({ value: "i32", mutable: true }, 0)
        : (constants[name] ?? exports[name] ?? forward(own, name));
  }
  const instance = new WebAssembly.Instance(module, imports);
  own.exports = instance.exports;
  for (const name of ["__wasm_apply_data_relocs", "__wasm_call_ctors"]) {
    const initialize = instance.exports[name];
    if (typeof initialize === "function") initialize();
  }
  return instance.exports;
}

/** A weak symbol that the library imports and itself exports; one that it does not export is a fault. */
function forward(own: { exports?: WebAssembly.Exports }, name: string) {
  return (...args: unknown[]): unknown => {
    const target = own.exports?.[name];
    if (typeof target !== "function") throw new WebAssembly.RuntimeError(`no symbol ${name}`);
    return target(...args);
  };
}
