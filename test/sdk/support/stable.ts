import { expect, vi } from "vitest";

/** Resolves when a number has stopped changing. */
export async function stable(read: () => number): Promise<void> {
  let last = -1;
  await vi.waitFor(
    () => {
      const now = read();
      const isSame = now === last;
      last = now;
      expect(isSame).toBe(true);
    },
    { interval: 100, timeout: 10_000 },
  );
}
