import { describe, expect, it } from "vitest";
import { CappedText } from "../../../src/shared/capped-text.ts";

function collect(maxBytes: number, ...parts: string[]) {
  const channel = new CappedText(maxBytes);
  for (const part of parts) channel.append(part);
  return [channel.toString(), channel.omittedBytes];
}

describe("CappedText", () => {
  it("keeps everything up to its bytes", () => {
    expect(collect(5, "ab", "", "cde")).toEqual(["abcde", 0]);
  });

  it("counts every byte that it leaves out", () => {
    expect(collect(4, "abcdef", "gh")).toEqual(["abcd", 4]);
  });

  it("never splits a character", () => {
    expect(collect(5, "é😀")).toEqual(["é", 4]);
    expect(collect(6, "é😀")).toEqual(["é😀", 0]);
  });

  it("leaves out all that follows a cut, even where it would fit", () => {
    expect(collect(3, "ab", "😀", "c")).toEqual(["ab", 5]);
  });
});
