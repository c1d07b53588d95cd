import { expect, it } from "vitest";
import { noLock } from "../support/toolchain.ts";
import { type Incident, runChaos } from "./chaos.ts";
import { describeStory } from "./describe.ts";

it.skipIf(noLock)(
  "holds every promise under a short chaos of a fixed seed",
  { timeout: 240_000 },
  async () => {
    const found: string[] = [];
    const onViolation = ({ name, detail, reader = "", story, lines }: Incident) =>
      found.push(
        [`${name} ${reader}: ${detail}`, story && describeStory(story), ...lines].join("\n"),
      );
    const { counts, violations } = await runChaos({ seed: 5, seconds: 4, onViolation });
    expect(found.join("\n\n")).toBe("");
    expect(violations).toBe(0);
    // It was one: programs ran and were disturbed, and their logs were read.
    for (const name of [
      "programs begun",
      "logs read whole",
      "cuts",
      "re-attachments",
      "beside: twin",
    ]) {
      expect(counts, name).toHaveProperty([name]);
    }
  },
);
