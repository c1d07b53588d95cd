import { expect, it } from "vitest";
import { createEngines } from "../../../src/executors/engines.ts";

it("starts no engine where one of those that are named does not exist", async () => {
  const asked: string[] = [];
  const starting = createEngines({
    engines: ["cpython", "perl"],
    requireTier: "T2",
    get python() {
      asked.push("python");
      return "/nonexistent/python3";
    },
    sitePackages: [],
    toolPayloadBytes: 1_024,
    spareGuests: 1,
    memoryBytes: 1_024,
    cacheDirectory: "/nonexistent",
    onWarning: () => {},
  });
  await expect(starting).rejects.toThrow('there is no engine "perl"');
  expect(asked).toEqual([]);
});
