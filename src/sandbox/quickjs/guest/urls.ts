import { inspect, inspectCustom } from "./format.ts";
import { append, apply, create, hidden, slice } from "./primordials.ts";

interface Context {
  readonly breakLength: number;
  stylize(text: string, style: string): string;
}

const fields = [
  "href",
  "origin",
  "protocol",
  "username",
  "password",
  "host",
  "hostname",
  "port",
  "pathname",
  "search",
  "searchParams",
  "hash",
] as const;

const { forEach } = URLSearchParams.prototype;

/** Makes `inspect` show URLs as Node does. For the prelude, once. */
export function showUrls(): void {
  hidden(URL.prototype, inspectCustom, function (this: URL, depth: number, context: Context) {
    if (depth < 0) return context.stylize("[URL]", "special");
    const shown = create(null) as Record<string, unknown>;
    for (let index = 0; index < fields.length; index++) {
      const name = fields[index] as (typeof fields)[number];
      shown[name] = this[name];
    }
    const text = inspect(shown, context);
    return `URL ${slice(text, "[Object: null prototype] ".length)}`;
  });
  hidden(
    URLSearchParams.prototype,
    inspectCustom,
    function (this: URLSearchParams, depth: number, context: Context) {
      if (depth < 0) return context.stylize("[Object]", "special");
      const pairs: string[] = [];
      let length = -2;
      apply(forEach, this, [
        (value: string, name: string) => {
          const pair = `${inspect(name)} => ${inspect(value)}`;
          length += pair.length + 2;
          append(pairs, pair);
        },
      ]);
      if (pairs.length === 0) return "URLSearchParams {}";
      const isLong = length > context.breakLength;
      let text = "";
      for (let index = 0; index < pairs.length; index++) {
        text += `${index === 0 ? "" : isLong ? ",\n  " : ", "}${pairs[index]}`;
      }
      return isLong ? `URLSearchParams {\n  ${text} }` : `URLSearchParams { ${text} }`;
    },
  );
}
