import { randomOf } from "../../support/random.ts";

/** Bytes that look random and are the same for the same seed. */
export function randomBytes(seed: number): (length: number) => Buffer {
  const next = randomOf(seed);
  return (length) => Buffer.from(Array.from({ length }, () => Math.floor(next() * 256)));
}
