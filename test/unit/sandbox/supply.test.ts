import { expect, it } from "vitest";
import type { CpythonGuest } from "../../../src/sandbox/cpython/guest.ts";
import { Spares } from "../../../src/sandbox/cpython/spares.ts";
import { Supply } from "../../../src/sandbox/cpython/supply.ts";

const never = new AbortController().signal;

function setUp({ prompt: promptCount, ordinary: ordinaryCount }: Record<string, number>) {
  const ended = () => {};
  const guest = () => ({ [Symbol.dispose]: ended }) as unknown as CpythonGuest;
  const create = (target = 0) => new Spares({ target, fork: () => {} });
  const [prompt, ordinary] = [create(promptCount), create(ordinaryCount)];
  const prompts = new Set<CpythonGuest>();
  const bear = () => {
    const one = guest();
    prompts.add(one);
    prompt.add(one);
  };
  for (let count = 0; count < (promptCount ?? 0); count++) bear();
  for (let count = 0; count < (ordinaryCount ?? 0); count++) ordinary.add(guest());
  const supply = new Supply({ prompt, ordinary });
  const lease = (group: string, signal = never) => supply.lease(signal, group);
  return {
    supply,
    lease,
    bear,
    kindOf: (one: CpythonGuest) => (prompts.has(one) ? "prompt" : "ordinary"),
  };
}

it("leaves guests of full priority for groups that have few, however many one asks for", async () => {
  const { lease, kindOf } = setUp({ prompt: 3, ordinary: 5 });
  const loud = await Promise.all(["loud", "loud", "loud", "loud"].map((group) => lease(group)));
  expect(loud.map(kindOf)).toEqual(["prompt", "prompt", "ordinary", "ordinary"]);
  expect(kindOf(await lease("quiet"))).toBe("prompt");
});

it("gives an ordinary one at once rather than have a group with few wait", async () => {
  const { lease, kindOf } = setUp({ prompt: 0, ordinary: 1 });
  expect(kindOf(await lease("quiet"))).toBe("ordinary");
});

it("counts a guest no more when it has died, nor a wait that was given up", async () => {
  const { supply, lease, bear, kindOf } = setUp({ prompt: 2, ordinary: 0 });
  const [first, second] = await Promise.all([lease("a"), lease("a")]);
  expect(supply.shareOf(second)).toEqual({ group: "a", size: 2 });
  const waiting = new AbortController();
  const third = lease("a", waiting.signal);
  waiting.abort(new Error("enough"));
  await expect(third).rejects.toThrow("enough");
  supply.forget(first);
  expect(supply.shareOf(second)).toEqual({ group: "a", size: 1 });
  bear();
  expect(kindOf(await lease("a"))).toBe("prompt");
});
