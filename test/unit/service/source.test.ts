import { describe, expect, it } from "vitest";
import { readSource } from "../../../src/service/source.ts";

const none = undefined;

describe("readSource", () => {
  it.each([
    ["\ufeffx = 1", "x = 1"],
    ["a\r\nb\rc\n", "a\nb\nc\n"],
    ["x = '\ufeff'", "x = '\ufeff'"],
  ])("takes byte order mark and carriage returns off %j", (text, code) => {
    for (const language of ["python", "javascript", "typescript", "other"])
      expect(readSource(text, language)).toEqual({ code, unfenced: none });
  });

  // What is left of each, its lines in their places.
  it.each([
    ["one fence", "```python\nx = 1\n```", "\nx = 1\n"],
    ["blanks around it", "\n  ```py title=a\nif x:\n    y\n```  \n", "\n\nif x:\n    y\n\n"],
    ["an indented fence", "    ```python\n    x\n    ```", "\n    x\n"],
    ["tildes", "~~~\nx\n~~~", "\nx\n"],
    ["a longer fence around a shorter one", "````\n```\ninner\n```\n````", "\n```\ninner\n```\n"],
    ["carriage returns", "```\r\nx\r\n```\r\n", "\nx\n\n"],
    ["a byte order mark within", "```\n\ufeffx\n```", "\nx\n"],
    ["a longer end", "```\nx\n`````", "\nx\n"],
    ["an unclosed one", "```python\nx = 1\ny", "\nx = 1\ny"],
    ["an end without a beginning", "x = 1\ny\n```\n", "x = 1\ny\n\n"],
    ["prose before and after", "It is:\n\n```python\nx\n```\n\nDone, isn't it?", "\n\n\nx\n\n\n"],
    ["prose before an unclosed one", "Here's the code:\n```\nx", "\n\nx"],
    ["two with blanks between", "```\nx\n```\n \n```python\ny\n```", "\nx\n\n\n\ny\n"],
    ["another language beside", "```bash\npip install x\n```\n```python\ny\n```", "\n\n\n\ny\n"],
    [
      "another language between",
      "```\nx\n```\n```json\n1\n```\n```py\ny\n```",
      "\nx\n\n\n\n\n\ny\n",
    ],
    ["fences in a docstring", '```\n"""\n```\nx\n```\n"""\ny\n```', '\n"""\n```\nx\n```\n"""\ny\n'],
    ["a name of nobody's", "```tool_code\nx\n```", "\nx\n"],
    ["attributes", "```{.python .numberLines}\nx\n```", "\nx\n"],
    ["inline code in the prose", "Use ```x```:\n```\ny\n```", "\n\ny\n"],
  ])("finds the program in %s", (_title, text, code) => {
    const fault = { fault: "", line: 0 };
    expect(readSource(text, "python").unfenced).toEqual({ code, ...fault });
  });

  it.each([
    ["prose between", "```\nx\n```\nand\n```\ny\n```", 5],
    ["prose between, after another language", "```sh\nx\n```\n```\ny\n```\nor:\n\n```\nz\n```", 9],
    ["an unclosed second", "```\nx\n```\nor\n```\ny", 5],
  ])("does not guess which of two programs is meant: %s", (_title, text, line) => {
    const fault = { fault: "two programs: send one", line };
    for (const language of ["python", "javascript"])
      expect(readSource(text, language)).toMatchObject({ code: text, unfenced: fault });
  });

  it.each([
    ["python", "javascript"],
    ["python", "bash"],
    ["typescript", "python"],
  ])("does not run as %s what is fenced as %s", (language, word) => {
    const fault = `the program is fenced as ${word}, and the language of the request is ${language}`;
    const { unfenced } = readSource(`Run:\n\`\`\`${word}\nx\n\`\`\``, language);
    expect(unfenced).toMatchObject({ fault, line: 2 });
  });

  it.each([
    "x = 1",
    "",
    "``` x ```",
    "```a`b\nx\n```x",
    "``\nx\n``",
    "~~~x",
    'a = """\n```python\nx\n```\n"""\nb = (',
    "```print(1)",
  ])("leaves %j alone, which has no fence", (code) => {
    expect(readSource(code, "python")).toEqual({ code, unfenced: none });
  });

  it.each(["javascript", "typescript"])("takes them off before %s is parsed", (language) => {
    expect(readSource("Sure:\n```js\nlet x = `a`;\n```\nDone", language)).toEqual({
      code: "\n\nlet x = `a`;\n\n",
      unfenced: none,
    });
    const inner = "/* so:\n```\nx\n```\n*/\nreturn '/*';";
    expect(readSource(inner, language)).toEqual({ code: inner, unfenced: none });
    expect(readSource(`\`\`\`ts\n${inner}\n\`\`\``, language).code).toBe(`\n${inner}\n`);
    expect(readSource("let x = ~~~y;\n~~~z", language).code).toBe("let x = ~~~y;\n~~~z");
  });

  it("reads a megabyte of anything in linear time", () => {
    const started = performance.now();
    for (const part of [
      "'",
      '"',
      "`",
      "```\n",
      "~~~\n",
      "/*",
      "\\",
      "#",
      '"""',
      " ",
      "```x\n~~~\n",
    ])
      for (const language of ["python", "typescript"])
        readSource(part.repeat(2 ** 20 / part.length).replace(/^/, "```\n```\n"), language);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
