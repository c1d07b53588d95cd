/** An open file of the interpreter's own file system. */
export interface Stream {
  stream_ops: StreamOps;
}

/** What a device does; data is read from and written to WebAssembly memory. */
export interface StreamOps {
  read?: (stream: Stream, memory: Int8Array, offset: number, length: number) => number;
  write?: (stream: Stream, memory: Int8Array, offset: number, length: number) => number;
}

/** A file, directory or device of the file system in memory. */
export interface FileNode {
  contents: Uint8Array | Int8Array | Record<string, FileNode>;
}

/** The operations of regular files in memory, shared by all of them. */
export interface FileOps {
  readonly node: { setattr: (node: FileNode, attributes: { size?: number }) => void };
  readonly stream: {
    write: (
      stream: Stream & { readonly node: FileNode },
      memory: Int8Array,
      offset: number,
      length: number,
      position: number,
      canOwn?: boolean,
    ) => number;
  };
}

/** The file system of an Emscripten program, as far as it is used here. */
export interface FileSystem {
  readonly ErrnoError: new (errno: number) => Error;
  readonly filesystems: { readonly MEMFS: { readonly ops_table: { readonly file: FileOps } } };
  readonly nameTable: readonly (FileNode & { name_next?: FileNode })[];
  readonly streams: readonly ((Stream & { readonly node: FileNode }) | null | undefined)[];
  mkdirTree(path: string): void;
  chdir(path: string): void;
  writeFile(path: string, data: Uint8Array | string, options?: { canOwn: boolean }): void;
  makedev(major: number, minor: number): number;
  registerDevice(device: number, ops: StreamOps): void;
  mkdev(path: string, mode: number, device: number): void;
  unlink(path: string): void;
  getStream(descriptor: number): Stream | null;
}

/** Pyodide's Emscripten module, as far as it is used here. */
export interface EmscriptenModule {
  readonly FS: FileSystem;
  readonly HEAP8: Int8Array;
  readonly ENV: Record<string, string>;
  stringToNewUTF8(text: string): number;
  growMemory(bytes: number): number | undefined;
  _PyRun_SimpleString(text: number): number;
  _free(pointer: number): void;
}

/** Functions that WebAssembly code may call, by name; `sig` is their type in Emscripten's letters. */
export type ImportedFunction = ((...args: readonly never[]) => unknown) & {
  sig?: string;
  stub?: boolean;
};
export type ImportedFunctions = Record<string, ImportedFunction>;

/** Numbers of errors in Emscripten's C library. */
export const errnos = { again: 6, noSpace: 51, noSystem: 52, notPermitted: 63 } as const;
