/**
 * A program that tries to get out of its instance in every way that its border must refuse. Its value
 * says of each attempt what came back: "nothing", or what was reached.
 */
export const probeProgram = String.raw`
const found = {};
const attempt = (name, action) => {
  try {
    const value = action();
    found[name] = value === undefined || value === null || value === false ? "nothing" : String(value);
  } catch (error) {
    found[name] = error instanceof Error ? "nothing" : "an error of another realm";
  }
};
const makers = {
  "an object": {}, "a function": () => {}, "a class": class {}, "a promise": Promise.resolve(),
  "an async function": async () => {}, "a generator": function* () {}, "an error": new Error("x"),
  "console.log": console.log, tools, "a tool": tools.__list__, context, "a URL": new URL("http://a"),
  setTimeout, crypto, "an encoder": new TextEncoder(), performance, ToolError, structuredClone,
  "a formatter": new Intl.NumberFormat(), "what a formatter gives": new Intl.DateTimeFormat().formatToParts(0),
};
for (const [name, value] of Object.entries(makers)) {
  attempt("the process by way of " + name, () => {
    const kind = value.constructor?.constructor?.("return typeof process")();
    return kind !== undefined && kind !== "undefined";
  });
}
for (const name of ["process", "require", "module", "Buffer", "global", "fetch", "WebSocket",
  "XMLHttpRequest", "Worker", "WebAssembly", "SharedArrayBuffer", "Atomics", "Deno", "Bun", "std", "os", "host", "enter", "util"]) {
  attempt(name, () => (0, eval)("typeof " + name) !== "undefined");
}
const importing = async (name) => {
  try {
    await import(name);
    found["import " + name] = "a module";
  } catch {
    found["import " + name] = "nothing";
  }
};
for (const name of ["node:fs", "fs", "std", "os", "prelude:main", "./main.js", "main", "file:///etc/passwd", "data:text/javascript,1", "a module"]) {
  await importing(name);
}
attempt("what an error says of the engine", () => {
  const errors = [() => null.x, () => tools.nothing, () => JSON.parse("{"), () => new URL("x"), () => new Function("{")];
  for (const fail of errors) {
    try {
      fail();
    } catch (error) {
      if (/node:|file:|wasm|\.ts:|prelude/.test(String(error.stack) + error.message)) return error.stack;
    }
  }
});
attempt("functions behind the frames of an error", () => {
  Error.prepareStackTrace = (_error, frames) => frames;
  try {
    for (const frame of new Error("x").stack) {
      for (const name of ["getFunction", "getThis"]) if (name in frame) return name;
    }
  } finally {
    Error.prepareStackTrace = undefined;
  }
});
attempt("the prelude's source", () => /toJson|host\./.test([console.log, setTimeout, tools.__list__].join("")));
attempt("an object of another realm", () => {
  const seen = new Set();
  const open = [globalThis];
  while (open.length > 0) {
    const value = open.pop();
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) continue;
    seen.add(value);
    let last = value;
    for (let next = value; next !== null; next = Object.getPrototypeOf(next)) last = next;
    if (typeof last === "function" || (value instanceof Object && last !== Object.prototype)) return String(value);
    open.push(Object.getPrototypeOf(value));
    if (value === tools) continue;
    for (const key of Reflect.ownKeys(value)) {
      const { value: member, get, set } = Object.getOwnPropertyDescriptor(value, key);
      open.push(member, get, set);
    }
  }
  if (seen.size < 500) return "only " + seen.size + " objects";
});
return found;
`;
