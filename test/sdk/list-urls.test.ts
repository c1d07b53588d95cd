import { describe, expect, it } from "vitest";
import { Codemode } from "../../src/index.ts";
import { CodemodeError } from "../../src/shared/errors.ts";
import { toConnectError } from "../../src/shared/status.ts";
import { createGate, quick, startCuttable } from "./support/cuttable.ts";
import { deadUrl } from "./support/dead-url.ts";
import { startScriptedService } from "./support/scripted-service.ts";

/** What a list of executions gave, and how it ended. */
async function list(codemode: Codemode, options: Parameters<Codemode["listExecutions"]>[1] = {}) {
  const ids: string[] = [];
  try {
    for await (const { executionId } of codemode.listExecutions({ pageSize: 1 }, options)) {
      ids.push(executionId);
    }
    return { ids, error: undefined };
  } catch (error) {
    return { ids, error };
  }
}

const one = () => 1;

describe("a list of the executions of several urls", () => {
  it("has those of the urls that answer, and then says which one did not", async () => {
    await using first = await startCuttable({ one });
    await using second = await startCuttable({ one });
    const expected: string[] = [];
    for (const { codemode } of [first, second, first]) {
      expected.unshift((await codemode.execute("one")).executionId);
    }
    const dead = await deadUrl();
    const url = [first.server.url, dead, second.server.url];
    await using codemode = Codemode.connect({ url, retry: quick });
    const { ids, error } = await list(codemode);
    expect(ids).toEqual(expected);
    expect(error).toMatchObject({
      name: "CodemodeConnectionError",
      kind: "unavailable",
      message: expect.stringContaining(dead),
      cause: { kind: "unavailable" },
    });
    expect(error).not.toMatchObject({ message: expect.stringContaining(first.server.url) });
  });

  it("goes on with the others where one fails between its pages", async () => {
    const page = (executionId: string, seconds: bigint, nextPageToken: string) => ({
      executions: [{ executionId, createTime: { seconds } }],
      nextPageToken,
    });
    await using failing = await startScriptedService({
      listExecutions({ pageToken }) {
        if (pageToken === "") return page("a-2", 4n, "more");
        throw toConnectError(new CodemodeError("internal", "it broke"));
      },
    });
    await using whole = await startScriptedService({
      listExecutions: ({ pageToken }) =>
        pageToken === "" ? page("b-2", 3n, "more") : page("b-1", 2n, ""),
    });
    await using codemode = Codemode.connect({ url: [failing.url, whole.url], retry: quick });
    const { ids, error } = await list(codemode);
    expect(ids).toEqual(["a-2", "b-2", "b-1"]);
    const message = `could not list the executions of ${failing.url} (it broke)`;
    expect(error).toMatchObject({ kind: "internal", message });
  });

  it("fails at once, naming them all, where none can be reached", async () => {
    const url = [await deadUrl(), await deadUrl()];
    await using codemode = Codemode.connect({ url, retry: false });
    const { ids, error } = await list(codemode);
    expect(ids).toEqual([]);
    expect(error).toMatchObject({ kind: "unavailable" });
    for (const each of url) {
      expect(error).toMatchObject({ message: expect.stringContaining(each) });
    }
  });

  it("ends for all of them when its caller gives it up", async () => {
    const asked = createGate();
    await using silent = await startScriptedService({
      listExecutions(_request, { signal }) {
        asked.open();
        return new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
        });
      },
    });
    await using test = await startCuttable({ one });
    await test.codemode.execute("one");
    await using codemode = Codemode.connect({ url: [silent.url, test.server.url] });
    const controller = new AbortController();
    const listed = list(codemode, { signal: controller.signal });
    await asked.opened;
    controller.abort();
    expect(await listed).toMatchObject({ ids: [], error: { kind: "cancelled" } });
  });
});
