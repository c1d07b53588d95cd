import { expect, it } from "vitest";
import { thrownFailure } from "../../../src/sdk/tool-failure.ts";

const fails = () => {
  throw new Error("a getter failed");
};
const unknown = {
  kind: "exception",
  type: "",
  message: "the tool threw something that is no error",
};

it.each([
  ["no object", undefined, "undefined"],
  ["a symbol", Symbol("s"), "Symbol(s)"],
  ["an object that has a message", { message: "m" }, "m"],
  ["an object without a prototype", Object.create(null), unknown.message],
  [
    "an error without a constructor",
    Object.assign(new Error("m"), { constructor: undefined }),
    "m",
  ],
  [
    "an error whose constructor cannot be read",
    Object.defineProperty(new Error("m"), "constructor", { get: fails }),
    unknown.message,
  ],
  [
    "an error whose message cannot be read",
    Object.defineProperty(new Error(), "message", { get: fails }),
    unknown.message,
  ],
  [
    "an error whose message is no text",
    Object.assign(new Error(), { message: Object.create(null) }),
    unknown.message,
  ],
  ["a proxy", new Proxy({}, { getPrototypeOf: fails, get: fails, has: fails }), unknown.message],
  ["a function that is no text", Object.assign(() => {}, { toString: fails }), unknown.message],
])("describes %s", (_, thrown, message) => {
  expect(thrownFailure(thrown)).toEqual({ ...unknown, type: expect.any(String), message });
});

it("says the class of an error that has no name of its own", () => {
  class Late extends Error {}
  expect(thrownFailure(new Late("m"))).toMatchObject({ type: "Late", message: "m" });
});
