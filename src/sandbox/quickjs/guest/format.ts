// The package node-inspect-extracted, Node's own code. The engine puts it there as a module's only value.
const global = globalThis as unknown as { util?: Util };

/** What we use of Node's `util`. */
interface Util {
  inspect: { (value: unknown, options?: object): string; readonly custom: symbol };
  format(...values: unknown[]): string;
}

const util = global.util as Util;
delete global.util;

/** A value as `util.inspect` of Node shows it. */
export const inspect = util.inspect;

/** The name of the method by which an object says how `inspect` shows it. */
export const inspectCustom = util.inspect.custom;

/** Values as `util.format` of Node joins them. */
export const format = util.format;
