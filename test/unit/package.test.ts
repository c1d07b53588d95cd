import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

const url = new URL("../../package.json", import.meta.url);
const { exports } = JSON.parse(readFileSync(url, "utf8")) as {
  exports: Record<string, Record<string, string>>;
};

// Other packages have a condition "source", for files that Node does not take from node_modules.
it.each(Object.entries(exports))(
  "names the condition of its sources as nobody else: %s",
  (_entry, to) => {
    const [first] = Object.keys(to);
    expect(first).toBe("codemode-source");
    expect(Object.keys(to)).toEqual(["codemode-source", "types", "default"]);
  },
);
