import { describe, expect, it } from "vitest";
import { faultKinds } from "./acts.ts";
import { makePlan } from "./plan.ts";
import {
  hasKind,
  kinds,
  limitsOf,
  programLanguages,
  sourceOf,
  stdoutLength,
  stdoutPiece,
} from "./programs.ts";

const options = { seconds: 10, languages: programLanguages };

describe("a plan", () => {
  it("is the same for the same seed, to the last choice", () => {
    expect(makePlan({ ...options, seed: 7 })).toEqual(makePlan({ ...options, seed: 7 }));
  });

  it("is another one for another seed", () => {
    const choices = (seed: number) =>
      makePlan({ ...options, seed }).clients.map(({ acts }) => acts.map((act) => act.program));
    expect(choices(7)).not.toEqual(choices(8));
  });

  it("has every kind of program, way to leave, neighbour and fault", () => {
    const { clients, faults } = makePlan({ ...options, seed: 1, seconds: 120 });
    const acts = clients.flatMap((client) => client.acts);
    for (const language of programLanguages) {
      const own = acts.flatMap(({ program }) =>
        program.language === language ? program.kind : [],
      );
      const due = kinds.filter((kind) => hasKind(language, kind));
      expect(new Set(own), language).toEqual(new Set(due));
    }
    expect(new Set(acts.flatMap(({ leaves }) => leaves.map(({ how }) => how))).size).toBe(4);
    expect(new Set(acts.flatMap(({ beside }) => beside.map(({ kind }) => kind))).size).toBe(7);
    expect(new Set(faults.map(({ kind }) => kind))).toEqual(new Set(faultKinds));
    expect(new Set(clients.map(({ role }) => role))).toEqual(new Set(["sdk", "generated", "raw"]));
  });

  it("has a token for each act, and programs that are short enough to be sent", () => {
    const { clients, faults } = makePlan({ ...options, seed: 1 });
    const bursts = faults.flatMap((fault) => (fault.kind === "burst" ? fault.acts : []));
    const acts = [...clients.flatMap((client) => client.acts), ...bursts];
    expect(new Set(acts.map(({ token }) => token)).size).toBe(acts.length);
    for (const { program } of acts) {
      expect(sourceOf(program).length).toBeLessThan(2_000);
      expect(limitsOf(program).wallMs).toBeGreaterThan(0);
    }
  });
});

describe("a program", () => {
  it("is not written where its language has no such thing", () => {
    const program = { kind: "segfault", count: 1, ms: 1, slackMs: 0 } as const;
    expect(sourceOf({ ...program, language: "python" })).toContain("ctypes");
    expect(() => sourceOf({ ...program, language: "javascript" })).toThrow("no segfault");
  });
});

describe("the text that programs print", () => {
  it("is the same in whole and in pieces", () => {
    const whole = stdoutPiece("flood", "t", 0, stdoutLength("flood", "t", 5));
    expect(whole.split("\n")).toHaveLength(6);
    for (const [from, length] of [
      [0, 10],
      [13, 100],
      [51, 51],
      [100, 1],
    ] as const) {
      expect(stdoutPiece("flood", "t", from, length)).toBe(whole.slice(from, from + length));
    }
  });
});
