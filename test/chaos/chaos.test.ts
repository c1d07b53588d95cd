import { expect, it } from "vitest";
import { noLock } from "../support/toolchain.ts";
import { faultKinds } from "./acts.ts";
import { type Incident, runChaos } from "./chaos.ts";
import { describeStory } from "./describe.ts";
import { programLanguages } from "./programs.ts";

it.skipIf(noLock)(
  "holds every promise under a short chaos of a fixed seed",
  { timeout: 240_000 },
  async () => {
    const found: string[] = [];
    const onViolation = ({ name, detail, reader = "", story, lines }: Incident) =>
      found.push(
        [`${name} ${reader}: ${detail}`, story && describeStory(story), ...lines].join("\n"),
      );
    const { counts, violations } = await runChaos({ seed: 6192, seconds: 5, onViolation });
    expect(found.join("\n\n")).toBe("");
    expect(violations).toBe(0);
    // It was one: each fault met somebody, programs of each language ran, and their logs were read.
    for (const name of [
      ...faultKinds.map((kind) => `fault ${kind}: hit`),
      ...programLanguages.map((language) => `${language}: programs begun`),
      "clock near_wait: ran out",
      "logs read whole",
      "left: cut",
      "re-attaches by hand",
      "re-attaches of the SDK",
      "beside: twin",
    ]) {
      expect(counts[name] ?? 0, name).toBeGreaterThan(0);
    }
  },
);
