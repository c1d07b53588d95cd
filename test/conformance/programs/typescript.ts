import { javascript } from "./javascript.ts";
import type { FailureCase, Programs, ValueCase } from "./programs.ts";

const values: readonly ValueCase[] = [
  {
    title: "takes away types, interfaces and generics",
    code: "interface Point { x: number; y?: string }\ntype Pair<T> = readonly [T, T];\nfunction first<T extends object>(pair: Pair<T>): T { return pair[0]; }\nconst point: Point = first<Point>([{ x: 1 }, { x: 2 }]) satisfies Point;\nreturn (point as Point).x!;",
    json: "1",
  },
  {
    title: "takes an async arrow function with types",
    code: "async (): Promise<number> => { const n: number = 6; return n; }",
    json: "6",
  },
  {
    title: "takes types of classes",
    code: "abstract class A<T> { declare y: number; private readonly x: T; constructor(x: T) { this.x = x; } get(): T { return this.x; } }\nclass B extends A<number> { override get(): number { return super.get() + 1; } }\nreturn new B(4).get();",
    json: "5",
  },
  {
    title: "takes an enum",
    code: "enum Color { Red = 1, Green }\nreturn Color.Green;",
    json: "2",
  },
  {
    title: "takes parameters that are properties",
    code: "class A { constructor(readonly x: number) {} }\nreturn new A(3).x;",
    json: "3",
  },
];

const failures: readonly FailureCase[] = [
  {
    title: "points at the author's line where types were taken away",
    code: "interface A {\n  a: number;\n}\nconst a: A = { a: 1 };\nthrow new TypeError(String(a.a));",
    reason: "exception",
    type: "TypeError",
    line: 5,
  },
  {
    title: "points at the author's line where an enum was put in its place",
    code: "enum A {\n  B,\n  C,\n}\nconst x: A = A.B;\nthrow new TypeError(String(x));",
    reason: "exception",
    type: "TypeError",
    line: 6,
  },
  {
    title: "refuses JSX",
    code: "const x = <div />;\nreturn x;",
    reason: "syntax",
    line: 1,
  },
];

/** TypeScript, for the suite: the programs of JavaScript, some with types, and its own. */
export const typescript: Programs = {
  ...javascript,
  language: "typescript",
  give: (expression) => `const value: unknown = ${expression};\nreturn value as unknown;`,
  printLine: (text) => `console.log(${JSON.stringify(text)} as string);`,
  values: [...javascript.values, ...values],
  failures: [...javascript.failures, ...failures],
  raises: {
    code: 'function f(): never {\n  const x: number = 1;\n  throw new TypeError("boom" as string);\n}\nf();',
    type: "TypeError",
    message: "boom",
  },
  badSyntax: { code: "const x: number = 1;\nconst : = ;\n", type: "SyntaxError" },
};
