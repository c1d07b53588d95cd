import { stripTypeScriptTypes } from "node:module";

/**
 * JavaScript of a TypeScript file of ours, every place as it was: for a clone, which runs its
 * sources. Throws as Node's `stripTypeScriptTypes` does.
 */
export function stripTypes(code: string): string {
  const { emitWarning } = process;
  // Node calls the function experimental, once in each process, on the service's stderr.
  process.emitWarning = () => {};
  try {
    return stripTypeScriptTypes(code);
  } finally {
    process.emitWarning = emitWarning;
  }
}
