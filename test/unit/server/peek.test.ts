import { expect, it } from "vitest";
import { classify } from "../../../src/server/peek.ts";

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
