import { closeSync, openSync, readdirSync, readFileSync } from "node:fs";

const closeOnExec = 0o2000000;

/** Descriptors from `first` on, in their order, that a child process would inherit, whoever left them open. */
export function inheritedDescriptors(first: number): readonly number[] {
  return openDescriptors().filter((descriptor) => {
    if (descriptor < first) return false;
    try {
      const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, "utf8");
      const flags = /^flags:\s*(\d+)/m.exec(info)?.[1] ?? "0";
      return (Number.parseInt(flags, 8) & closeOnExec) === 0;
    } catch {
      return false; // the one by which the directory was read
    }
  });
}

function openDescriptors(): number[] {
  try {
    return readdirSync("/proc/self/fd")
      .map(Number)
      .sort((a, b) => a - b);
  } catch {
    return []; // not Linux: nothing is known
  }
}

/** An empty file to put in a descriptor's place; closed when disposed. */
export function openNothing(): Disposable & { readonly descriptor: number } {
  const descriptor = openSync("/dev/null", "r");
  return { descriptor, [Symbol.dispose]: () => closeSync(descriptor) };
}
