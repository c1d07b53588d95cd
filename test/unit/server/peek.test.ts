import { expect, it } from "vitest";
import { classify, classifyCall } from "../../../src/server/peek.ts";

it.each([
  ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "http2"],
  ["the preface with frames behind it", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x12\x04", "http2"],
  ["a GET", "G", "http1"],
  ["a method that starts as the preface does", "PROPFIND / HTTP/1.1\r\n", "http1"],
  ["a preface that goes wrong at its end", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rX", "http1"],
  ["an empty line before a request", "\r\nGET / HTTP/1.1", "http1"],
  ["a TLS client hello", "\x16\x03\x01\x02\x00", "other"],
  ["a zero byte", "\0", "other"],
  ["a lower case word", "hello", "other"],
])("%s is told apart", (_title, bytes, wire) => {
  expect(classify(Buffer.from(bytes, "latin1"))).toBe(wire);
});

it.each(["", "P", "PR", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"])(
  "waits for more while %j could still be the preface",
  (bytes) => {
    expect(classify(Buffer.from(bytes))).toBeUndefined();
  },
);

const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const frameOf = (type: number, length: number) => {
  const bytes = Buffer.alloc(9 + length);
  bytes.writeUIntBE(length, 0, 3);
  bytes[3] = type;
  return bytes;
};

it.each([
  ["nothing", [], undefined],
  ["settings and a window", [frameOf(4, 6), frameOf(8, 4)], undefined],
  ["half of the head of a call", [frameOf(4, 6), frameOf(1, 40).subarray(0, 8)], undefined],
  ["a call", [frameOf(4, 6), frameOf(8, 4), frameOf(1, 40).subarray(0, 9)], "call"],
  ["pings without end", Array.from({ length: 1_000 }, () => frameOf(6, 8)), "other"],
  ["a frame that is larger than all that may come before a call", [frameOf(4, 17_000)], "other"],
])("after the preface %s is told apart", (_title, frames, what) => {
  expect(classifyCall(Buffer.concat([preface, ...frames]))).toBe(what);
});
