import { describe, expect, it } from "vitest";
import { type Blow, takeBlow } from "./blows.ts";
import {
  completed,
  executionThat,
  failedWith,
  goodStory,
  inJavascript,
  namesOf,
  withOutcome,
} from "./history.ts";
import type { Story } from "./story.ts";

/** Something that was done, by default in the middle of `goodStory`. */
const blowOf = (kind: Blow["kind"], engine: string, at = Date.now() + 500): Blow => ({
  kind,
  engine,
  at,
  until: at,
  pid: 1,
  victims: new Map(),
});

describe("the checker", () => {
  it("takes a crash for explained by a kill, and one kill for one crash only", () => {
    const story = withOutcome(failedWith("crashed", "the guest was killed by SIGKILL"));
    const blows = [blowOf("kill_guest", "cpython")];
    expect(namesOf(story, blows)).toEqual([]);
    expect(namesOf(story, blows)).toEqual([]);
    const others = { ...story, act: { ...story.act, token: "t9" } };
    expect(namesOf(others, blows)).toContain("unexplained end");
  });

  describe("of a program that was killed", () => {
    const guest = (at: number) => blowOf("kill_guest", "cpython", at);
    const zygote = (at: number) => blowOf("kill_zygote", "cpython", at);
    const taker =
      (...blows: readonly Blow[]) =>
      (token: string, from: number, to: number) =>
        takeBlow(blows, {
          token,
          kinds: ["kill_guest", "kill_zygote"],
          engine: "cpython",
          from,
          to,
        });

    it("takes the last kill before its end for its reason, and leaves others' to them", () => {
      const took = taker(guest(4_999), guest(9_999));
      expect(took("long", 0, 10_000)).toBe(true);
      expect(took("short", 3_000, 5_000)).toBe(true);
      expect(took("other", 3_000, 10_000)).toBe(false);
    });

    it("takes the kill of its zygote for its reason, and leaves a guest's kill before that to its guest", () => {
      const took = taker(guest(2_000), zygote(3_000));
      expect(took("zygote's", 1_000, 3_010)).toBe(true);
      expect(took("guest's", 1_000, 2_010)).toBe(true);
      expect(took("nobody's", 1_000, 2_010)).toBe(false);
    });

    it("gives a kill on to another when its own end may have come of an earlier one", () => {
      const took = taker(zygote(1_000), guest(7_000));
      expect(took("told late", 500, 7_500)).toBe(true);
      expect(took("told at once", 6_500, 7_010)).toBe(true);
      expect(took("told late", 500, 7_500)).toBe(true);
      expect(took("nobody's", 6_500, 7_010)).toBe(false);
    });
  });

  const engineLost = "the program was lost: its engine process ended with SIGKILL";

  it("takes the end of all of an engine's programs for explained by its kill", () => {
    const blows = [blowOf("kill_engine", "quickjs")];
    expect(namesOf(inJavascript(failedWith("crashed", engineLost)), blows)).toEqual([]);
    expect(namesOf(inJavascript(failedWith("crashed", engineLost)), blows)).toEqual([]);
    expect([...(blows[0]?.victims.keys() ?? [])]).toEqual(["t1"]);
  });

  it.each<[string, () => Story, () => Blow]>([
    [
      "with another word than the service has for it",
      () => inJavascript(failedWith("crashed", "the guest ended without a result (status 0)")),
      () => blowOf("kill_engine", "quickjs"),
    ],
    [
      "when it had ended before",
      () => inJavascript(failedWith("crashed", engineLost)),
      () => blowOf("kill_engine", "quickjs", Date.now() + 2_000),
    ],
    [
      "when it began long after",
      () => inJavascript(failedWith("crashed", engineLost)),
      () => blowOf("kill_engine", "quickjs", Date.now() - 10_000),
    ],
    [
      "on another engine",
      () => withOutcome(failedWith("crashed", engineLost)),
      () => blowOf("kill_engine", "quickjs"),
    ],
    [
      "that only stood still",
      () => inJavascript(failedWith("crashed", engineLost)),
      () => blowOf("stop_engine", "quickjs"),
    ],
  ])("takes no crash for explained by the kill of an engine %s", (_how, make, blow) => {
    expect(namesOf(make(), [blow()])).toEqual(["unexplained end"]);
  });

  it("names a program that completed long after its engine was killed", () => {
    const story = inJavascript(completed('["t1",["t1/0"]]'));
    const at = story.startedAt;
    const ran = (ms: number) => executionThat(new Date(at + ms), new Date(at));
    const blows = [blowOf("kill_engine", "quickjs", at + 100)];
    story.executions = [ran(1_000)];
    expect(namesOf(story, blows)).toEqual([]);
    story.executions = [ran(10_000)];
    expect(namesOf(story, blows)).toEqual(["outlived its engine"]);
  });

  it("lets a program be refused while its engine is started again, with the time of a retry, and only then", () => {
    const refused = (engine: string, retryAfterMs?: number) => {
      const story = inJavascript(completed('["t1",["t1/0"]]'));
      story.logs = [];
      for (const view of story.views) {
        view.events.length = 0;
        view.end = { how: "failed", kind: "unavailable", message: "quickjs: ...", retryAfterMs };
      }
      return namesOf(story, [blowOf("kill_engine", engine)]);
    };
    expect(refused("quickjs", 1_000)).toEqual([]);
    expect(refused("cpython", 1_000)).toEqual(["unexplained status"]);
    expect(refused("quickjs")).toEqual(["unexplained status"]);
  });

  it("lets a caller's deadline end what has not started, and nothing else", () => {
    const message = "the caller's deadline passed before the program started";
    const late = withOutcome(failedWith("cancelled", message));
    const act = { ...late.act, deadlineMs: 300 };
    const log = late.logs[0]?.events.slice(-1) ?? [];
    const waited = goodStory(log.map((event) => ({ ...event, sequence: 1 })));
    waited.begins.length = 0;
    waited.effects.length = 0;
    expect(namesOf({ ...waited, act })).not.toContain("unexplained end");
    expect(namesOf(waited)).toContain("unexplained end");
    expect(namesOf({ ...late, act })).toContain("unexplained end");
  });
});
