import { expect, it } from "vitest";
import { Spare } from "../../../../src/sandbox/pyodide/spare.ts";

it("frees the slot of a guest that could not be started, and says why", async () => {
  await using spare = new Spare({
    isKept: false,
    maxGuests: 1,
    start: () => {
      throw new Error("no descriptors are left");
    },
  });
  const why = { kind: "unavailable", message: "pyodide: no descriptors are left" };
  const soon = () => AbortSignal.timeout(1_000);
  await expect(spare.lease(soon(), "a")).rejects.toMatchObject(why);
  await expect(spare.lease(soon(), "b")).rejects.toMatchObject(why);
});
