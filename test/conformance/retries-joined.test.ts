import { describe, expect, it } from "vitest";
import { countStarts, startServiceProcess } from "../support/service-process.ts";
import { retryingClients } from "./support/retrying-clients.ts";

describe.each(retryingClients)("$name", ({ name, missing, start }) => {
  it.skipIf(missing)(
    "never runs a program again that it joined by a request id when its server is killed",
    async () => {
      await using starts = await countStarts();
      await using service = await startServiceProcess({ starts });
      const { url, port } = service;
      await using first = start();
      await using second = start();
      const call = { url, code: "forever", run: "it", requestId: "r-1", timeoutMs: 8_000 };
      const begun = first.run(call);
      await starts.until("it");
      const joined = second.run(call);
      // On the connection of the call that joins, and behind it.
      expect(await second.run({ url, code: "one", run: "behind" })).toBe("ok");
      service.kill("SIGKILL");
      await service.ended;
      await using _successor = await startServiceProcess({ starts, port });
      const lost = name === "the SDK" ? "execution_lost" : "UNAVAILABLE";
      expect(await Promise.all([begun, joined])).toEqual([lost, lost]);
      expect(await starts.of("it")).toBe(1);
    },
    30_000,
  );
});
