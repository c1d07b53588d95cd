import { expect, it } from "vitest";
import { TokenBucket } from "../../../src/shared/token-bucket.ts";

/** A bucket of ten, to which one comes back every 2 ms, at a time that only moves when it is told to. */
function startBucket() {
  let now = 1_000;
  const bucket = new TokenBucket({ burst: 10, perMs: 0.5, now: () => now });
  return {
    bucket,
    pass: (ms: number) => {
      now += ms;
    },
  };
}

it("owes nothing for what it holds, and the time of what it does not", () => {
  const { bucket } = startBucket();
  bucket.take(10);
  expect(bucket.owedMs).toBe(0);
  bucket.take(3);
  expect(bucket.owedMs).toBe(6);
});

it("fills evenly, and no further than its burst", () => {
  const { bucket, pass } = startBucket();
  bucket.take(14);
  pass(5);
  expect(bucket.owedMs).toBe(3);
  pass(22);
  expect(bucket.isFull).toBe(false);
  pass(1);
  expect(bucket.isFull).toBe(true);
  pass(1_000);
  bucket.take(11);
  expect(bucket.owedMs).toBe(2);
});

it("takes back what was not needed, and holds no more than its burst then", () => {
  const { bucket } = startBucket();
  bucket.take(12);
  bucket.take(-4);
  expect(bucket.owedMs).toBe(0);
  bucket.take(-1_000);
  bucket.take(11);
  expect(bucket.owedMs).toBe(2);
});
