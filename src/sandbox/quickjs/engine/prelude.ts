import type { Pointer, Vm } from "./vm.ts";

/** A module of the prelude, as JavaScript. Others import it as `./name.js` or `./name.ts`. */
export interface GuestModule {
  readonly name: string;
  readonly code: string;
}

const settled = 1;

/** The name of a module of the prelude, for `VmHost.moduleName` while it is evaluated. */
export function preludeName(specifier: string): string {
  return `prelude:${specifier.replace(/^\.\//, "").replace(/\.[jt]s$/, "")}`;
}

/**
 * Evaluates modules in an instance, each after those that it imports, with the host's functions as the
 * global `host`. Gives the function that they have left as the global `enter`; both are taken away.
 * `compiler` is another instance, spoilt by it: what compiles a module knows it by name ever after.
 */
export function evaluatePrelude(
  vm: Vm,
  compiler: Vm,
  modules: readonly GuestModule[],
  hostFunctions: readonly string[],
): Pointer {
  const define = vm.evaluate("(host) => { globalThis.host = host; }", "prelude", 0);
  vm.call(define, [vm.hostObject(hostFunctions)]);
  for (const { name, code } of modules) {
    const fullName = preludeName(name);
    const value = vm.evaluateCompiled(compiler.compileModule(code, fullName));
    if (vm.isException(value)) throw new Error(`${fullName}: ${vm.exceptionText()}`);
    vm.runJobs();
    if (vm.exports.qjs_promise_state(value) !== settled) {
      vm.exports.qjs_throw(vm.exports.qjs_promise_result(value));
      throw new Error(`${fullName} failed: ${vm.exceptionText()}`);
    }
    vm.free(value);
  }
  const take = "(() => { const { enter } = globalThis; delete globalThis.enter; return enter; })()";
  return vm.evaluate(take, "prelude", 0);
}
