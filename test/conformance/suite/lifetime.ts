import { describe, expect } from "vitest";
import { collect } from "../../support/programs.ts";
import type { Subject } from "./subject.ts";

/** The engine as a whole: what it says of itself, and its own end. */
export function describeLifetime(subject: Subject): void {
  const { programs, it } = subject;
  const { language, give, readyThenSpin } = programs;

  describe("an engine", () => {
    it(undefined, "says what it is", async () => {
      const info = subject.executor.info();
      expect(info).toMatchObject({ up: true, reason: "" });
      expect(info.languages).toContain(language);
      expect(info.name).toMatch(/^[a-z][\w-]*$/);
      expect(info.version).not.toBe("");
      for (const { name } of info.probes) expect(name).not.toBe("");
    });

    it(undefined, "is disposed twice without harm, and refuses to run afterwards", async () => {
      const other = await subject.create();
      await other[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      await expect(collect(other, give("1"), { language })).rejects.toMatchObject({
        kind: "unavailable",
      });
      expect(other.info()).toMatchObject({ up: false, reason: expect.stringMatching(/./) });
    });

    it(undefined, "ends what runs when it is disposed", async () => {
      const other = await subject.create();
      const ready = Promise.withResolvers<void>();
      const pending = collect(other, readyThenSpin, {
        language,
        onEvent: ({ type }) => {
          if (type === "output") ready.resolve();
        },
      });
      await ready.promise;
      await other[Symbol.asyncDispose]();
      expect((await pending).result).toMatchObject({ status: "failed" });
    });

    it(undefined, "is disposed while it is disposed", async () => {
      const other = await subject.create();
      await Promise.all([other[Symbol.asyncDispose](), other[Symbol.asyncDispose]()]);
      expect(other.info().up).toBe(false);
    });
  });
}
