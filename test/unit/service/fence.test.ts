import { describe, expect, it } from "vitest";
import { unwrapFence } from "../../../src/service/fence.ts";

describe("unwrapFence", () => {
  it.each([
    ["```python\nx = 1\n```", "x = 1"],
    ["\n  ```py title=a\nif x:\n    y\n```  \n", "if x:\n    y"],
    ["~~~\nx\n~~~", "x"],
    ["````\n```\ninner\n```\n````", "```\ninner\n```"],
    ["```\r\nx\r\n```\r\n", "x\r"],
    ["```\n```", ""],
    ["```\nx\n`````", "x"],
  ])("takes the inside of %j", (text, inside) => {
    expect(unwrapFence(text)).toBe(inside);
  });

  it.each([
    "x = 1",
    "",
    "``` x ```",
    "```",
    "```python\nx = 1",
    "see:\n```\nx\n```",
    "```\nx\n```\nand\n```\ny\n```",
    "```\nx\n```\ntext",
    "```a`b\nx\n```",
    "``\nx\n``",
  ])("leaves %j alone, which is not one block", (text) => {
    expect(unwrapFence(text)).toBe(text);
  });
});
