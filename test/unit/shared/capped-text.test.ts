import { describe, expect, it } from "vitest";
import { CappedText } from "../../../src/shared/capped-text.ts";

describe("CappedText", () => {
  it("keeps what fits", () => {
    const text = new CappedText(10);
    text.append("hello");
    text.append("world");
    expect([text.toString(), text.omittedBytes]).toEqual(["helloworld", 0]);
  });

  it("keeps the first bytes and counts the rest", () => {
    const text = new CappedText(8);
    text.append("hello");
    text.append("world");
    text.append("!");
    expect([text.toString(), text.omittedBytes]).toEqual(["hellowor", 3]);
  });

  it.each([
    ["aé", 2, "a"],
    ["aé", 3, "aé"],
    ["€€", 5, "€"],
    ["😀😀", 7, "😀"],
    ["a😀", 2, "a"],
  ])("never splits a character: %s in %i bytes", (input, bytes, kept) => {
    const text = new CappedText(bytes);
    text.append(input);
    expect(text.toString()).toBe(kept);
    expect(text.omittedBytes).toBe(Buffer.byteLength(input) - Buffer.byteLength(kept));
  });

  it("takes nothing more after a cut, however short", () => {
    const text = new CappedText(2);
    text.append("a€");
    text.append("b");
    expect([text.toString(), text.omittedBytes]).toEqual(["a", 4]);
  });
});
