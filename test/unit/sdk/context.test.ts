import { setImmediate as tick, setTimeout as wait } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { getContext, withContext } from "../../../src/sdk/context.ts";

describe("withContext", () => {
  it("gives what the function gives, and is empty outside", async () => {
    expect(getContext()).toEqual({});
    expect(withContext({ client_id: "acme" }, () => getContext())).toEqual({ client_id: "acme" });
    await expect(withContext({ a: 1 }, async () => getContext().a)).resolves.toBe(1);
    expect(getContext()).toEqual({});
  });

  it("merges nested calls key by key, the inner value winning, and restores the outer ones", () => {
    withContext({ client_id: "acme", user_id: "u1" }, () => {
      withContext({ user_id: "u2", region: "eu" }, () => {
        expect(getContext()).toEqual({ client_id: "acme", user_id: "u2", region: "eu" });
      });
      expect(getContext()).toEqual({ client_id: "acme", user_id: "u1" });
    });
  });

  it("takes its values when it is called, whatever happens to the object later", () => {
    const variables = { client_id: "acme" };
    withContext(variables, () => {
      variables.client_id = "globex";
      expect(getContext()).toEqual({ client_id: "acme" });
      expect(() => Object.assign(getContext(), { client_id: "globex" })).toThrow(TypeError);
    });
  });

  it("keeps 1,000 interleaved tasks apart, across awaits, timers and nesting", async () => {
    const seen = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        withContext({ client_id: `c${index}` }, async () => {
          const ids: unknown[] = [];
          for (let step = 0; step < 5; step++) {
            await (step % 2 === 0 ? tick() : wait(index % 3));
            ids.push(getContext().client_id);
          }
          await withContext({ user_id: `u${index}` }, async () => {
            await tick();
            ids.push(`${getContext().client_id}/${getContext().user_id}`);
          });
          return ids;
        }),
      ),
    );
    seen.forEach((ids, index) => {
      expect(ids).toEqual([...Array(5).fill(`c${index}`), `c${index}/u${index}`]);
    });
  });
});
