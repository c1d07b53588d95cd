import type { ConversionCase } from "./programs.ts";

/** Values of JavaScript that are not JSON, and what becomes of them in a result and as an argument. */
export const javascriptConversions: readonly ConversionCase[] = (
  [
    ["new Date(0)", '"1970-01-01T00:00:00.000Z"', ["$ Date"]],
    ["{ at: new Date(NaN) }", '{"at":null}', ["$.at Date"]],
    ["new Map([['a', new Map([['b', 1]])]])", '{"a":{"b":1}}', ["$ Map", "$.a Map"]],
    ["new Map([[1, 2], [null, 3], [true, 4]])", '{"1":2,"null":3,"true":4}', ["$ Map"]],
    ["[new Set([3, 1])]", "[[3,1]]", ["$[0] Set"]],
    ["new Uint8Array([1, 2])", "[1,2]", ["$ Uint8Array"]],
    ["new Float64Array([1.5])", "[1.5]", ["$ Float64Array"]],
    ["new BigInt64Array([2n ** 60n])", "[1152921504606846976]", ["$ BigInt64Array"]],
    ["new Uint8Array([7]).buffer", "[7]", ["$ ArrayBuffer"]],
    ["new URL('/b?c=1', 'https://a.example')", '"https://a.example/b?c=1"', ["$ URL"]],
    ["new URLSearchParams('a=1&b=2')", '"a=1&b=2"', ["$ URLSearchParams"]],
    ["/a+/gi", '"/a+/gi"', ["$ RegExp"]],
    ["new TypeError('no')", '{"name":"TypeError","message":"no"}', ["$ Error"]],
    ["Object(1)", "1", ["$ Number"]],
    ["[Object('x'), Object(true)]", '["x",true]', ["$[0] String", "$[1] Boolean"]],
    ["(function* () { yield 1; yield [2]; })()", "[1,[2]]", ["$ Generator"]],
    ["new Map([['a', 1]]).entries()", '[["a",1]]', ["$ Map Iterator"]],
    ["new Set([1]).values()", "[1]", ["$ Set Iterator"]],
    ["[1, 2].values()", "[1,2]", ["$ Array Iterator"]],
  ] as const
).map(([value, json, converted]) => ({ imports: "", value: `(${value})`, json, converted }));
