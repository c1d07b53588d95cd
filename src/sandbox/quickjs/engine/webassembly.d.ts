// The part of lib.dom that Node has as well and that this engine uses.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static customSections(module: Module, name: string): ArrayBuffer[];
    static imports(module: Module): { module: string; name: string; kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(limits: { initial: number; maximum?: number });
    readonly buffer: ArrayBuffer;
    /** Gives the pages that there were. */
    grow(pages: number): number;
  }
  class Table {
    readonly length: number;
    grow(slots: number): number;
  }
  class Global {
    constructor(type: { value: "i32"; mutable: boolean }, value: number);
    value: number;
  }
  class RuntimeError extends Error {}
  // biome-ignore lint/complexity/noBannedTypes: any function may be an import or an export
  type ImportValue = Function | Memory | Table | Global | undefined;
  type ModuleImports = Record<string, ImportValue>;
  type Imports = Record<string, ModuleImports>;
  type Exports = Readonly<Record<string, ImportValue>>;
}
