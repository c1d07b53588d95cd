import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { Stop } from "../../src/shared/stop.ts";
import { descendants } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { noPyodide, startPyodide } from "../support/pyodide.ts";

const directory = mkdtempSync(join(tmpdir(), "codemode-pyodide-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(noPyodide)("the engine pyodide", () => {
  it("is Python, and says which", async () => {
    await using executor = await startPyodide();
    const { name, languages, version } = executor.info();
    expect([name, languages]).toEqual(["pyodide", ["python"]]);
    expect(await jsonOf(executor, "import platform\nplatform.python_version()")).toBe(version);
  });

  it("makes anew what has been damaged in its cache or removed from it, also while it runs", async () => {
    const warnings: string[] = [];
    const cacheDirectory = join(directory, "cache");
    const onWarning = (message: string) => void warnings.push(message);
    const options = { cacheDirectory, onWarning, spare: 0 };
    {
      await using executor = await startPyodide(options);
      expect(await jsonOf(executor, "1")).toBe(1);
      rmSync(cacheDirectory, { recursive: true });
      const both = [jsonOf(executor, "2"), jsonOf(executor, "3")];
      expect(await Promise.all(both)).toEqual([2, 3]);
      expect(warnings.length).toBeGreaterThan(0);
    }
    for (const name of readdirSync(cacheDirectory)) {
      if (name.endsWith(".memory")) writeFileSync(join(cacheDirectory, name), "nonsense");
    }
    await using executor = await startPyodide(options);
    expect(await jsonOf(executor, "4")).toBe(4);
  }, 120_000);

  it("is not up where its cache is not its own, and says so", async () => {
    const cacheDirectory = mkdtempSync(join(directory, "open-"));
    chmodSync(cacheDirectory, 0o777);
    await using executor = await startPyodide({ cacheDirectory });
    expect(executor.info()).toMatchObject({
      up: false,
      reason: expect.stringContaining("is not this user's own"),
    });
  });

  it("runs so many guests at once and no more; others wait in line, or leave it", async () => {
    await using executor = await startPyodide({ maxGuests: 1 });
    const [first, third] = [new AbortController(), new AbortController()];
    const spins = Promise.withResolvers<void>();
    const running = collect(executor, "print(1)\nwhile True: pass", {
      signal: first.signal,
      onEvent: ({ type }) => type === "output" && spins.resolve(),
    });
    await spins.promise;
    const order: string[] = [];
    const second = jsonOf(executor, "2").finally(() => order.push("second"));
    const left = collect(executor, "3", { signal: third.signal });
    const gone = expect(left).rejects.toMatchObject({ reason: "cancelled" });
    third.abort(new Stop("cancelled", "too long"));
    await gone;
    order.push("third left");
    first.abort(new Stop("cancelled", "enough"));
    expect(await second).toBe(2);
    expect((await running).result).toMatchObject({ error: { reason: "cancelled" } });
    expect(order).toEqual(["third left", "second"]);
  });

  it("keeps one guest waiting at most, and none where none is wanted", async () => {
    const before = descendants().length;
    await using executor = await startPyodide({ spare: 0 });
    expect(await jsonOf(executor, "1")).toBe(1);
    await expect.poll(() => descendants().length).toBe(before);
  });
});
