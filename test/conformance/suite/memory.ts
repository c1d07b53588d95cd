import { describe, expect } from "vitest";
import { failureOf, given, jsonOf, type Subject } from "./subject.ts";

const limits = { memoryBytes: 64 * 1024 * 1024 };
const bombs = ["big", "many", "doubling"] as const;

/** What becomes of programs that take memory without end, and of the engine under them. */
export function describeMemory(subject: Subject): void {
  const { programs, run, it } = subject;
  const memory = () => given(programs.memory);

  describe("memory", () => {
    for (const name of bombs) {
      it("memory limit", `ends what takes more than its limit (${name})`, async () => {
        const error = failureOf(await run(memory()[name], { limits }));
        expect(error.reason).toBe("memory");
        expect(error.type + error.message).not.toBe("");
        expect(jsonOf(await run(programs.give("1"), { limits }))).toBe("1");
      });
    }

    it("memory limit", "lets a program catch that there is no more, and go on", async () => {
      expect(jsonOf(await run(memory().survived, { limits }))).toBe("5");
    });

    it("memory limit", "says how much was used, about", async () => {
      const { usage } = await run(memory().many, { limits });
      expect(usage.peakMemoryBytes).toBeGreaterThan(limits.memoryBytes / 4);
      expect(usage.peakMemoryBytes).toBeLessThan(limits.memoryBytes * 4);
    });

    it("memory limit", "keeps bombs of one run from others that run beside them", async () => {
      const bystanders = Array.from({ length: 6 }, async (_, n) => {
        if (n % 2 === 0) return failureOf(await run(memory().many, { limits })).reason;
        return jsonOf(await run(programs.give(String(n)), { limits, group: "other" }));
      });
      expect(await Promise.all(bystanders)).toEqual(["memory", "1", "memory", "3", "memory", "5"]);
    });

    it(["memory limit", "tools"], "counts what tools answer", async () => {
      const tools = [{ name: "echo" }];
      const answer = "x".repeat(1_000_000);
      const error = failureOf(
        await run(given(programs.tools?.hoard), { tools, limits, onCall: () => answer }),
      );
      expect(error.reason).toBe("memory");
    });
  });
}
