import { inspect, inspectCustom } from "./format.ts";
import { host } from "./host.ts";
import { hidden, includes, NewPromise } from "./primordials.ts";

interface Options {
  readonly depth?: number | null;
  stylize(text: string, style: string): string;
}

const pending = 0;
const rejected = 2;
const maxLineLength = 72;

/** Makes `inspect` show promises as Node does, with what they were settled with. For the prelude, once. */
export function showPromises(): void {
  hidden(
    NewPromise.prototype,
    inspectCustom,
    function (this: Promise<unknown>, depth: number, options: Options) {
      const state = host.p(this);
      if (state === pending) return `Promise { ${options.stylize("<pending>", "special")} }`;
      const value = depth < 0 ? "[Object]" : inspect(host.q(this), options);
      const text =
        state === rejected ? `${options.stylize("<rejected>", "special")} ${value}` : value;
      const isLong = text.length > maxLineLength || includes(text, "\n");
      return isLong ? `Promise {\n  ${indented(text)}\n}` : `Promise { ${text} }`;
    },
  );
}

function indented(text: string): string {
  let result = "";
  for (let index = 0; index < text.length; index++) {
    result += text[index] === "\n" ? "\n  " : text[index];
  }
  return result;
}
