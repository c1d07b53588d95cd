import { expect, it } from "vitest";
import { Codemode, type ExecuteOptions } from "../../../src/index.ts";

it.each([
  ["contxt", { contxt: {} }],
  ["limits.wallMS", { limits: { wallMS: 1 } }],
  ["requestID", { requestID: "x" }],
])(
  "refuses the field %s, which it does not know, before anything is sent",
  async (field, given) => {
    await using codemode = Codemode.connect({ url: "http://127.0.0.1:1" });
    await expect(codemode.execute("1", given as ExecuteOptions)).rejects.toMatchObject({
      kind: "invalid_request",
      violations: [{ field, description: "no such field" }],
    });
  },
);
