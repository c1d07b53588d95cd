import { once } from "node:events";
import net from "node:net";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, it } from "vitest";
import { never } from "../../support/executions.ts";
import { toolOf } from "../../support/requests.ts";
import { startToolService } from "../../support/tool-service.ts";
import { callOf, clientOf, closedPort } from "./support/client.ts";

describe("the list of tools", () => {
  it("is asked for with schemas and the key, and kept for a while, for all who ask", async () => {
    const declared = { name: "find", description: "Finds", inputSchemaJson: "{}", readOnly: true };
    await using service = await startToolService({ tools: () => [declared] });
    using client = clientOf(service.url, {}, "crm-key");
    const lists = await Promise.all([client.tools(never), client.tools(never)]);
    expect(lists[0]).toEqual([toolOf("find", declared)]);
    expect(lists[1]).toBe(lists[0]);
    expect(await client.tools(never)).toBe(lists[0]);
    expect(service.lists).toHaveLength(1);
    expect(service.lists[0]?.get("authorization")).toBe("Bearer crm-key");
  });

  it("is read anew when it is too old, or when it is to be fresh", async () => {
    const names = ["one", "two", "three"];
    await using service = await startToolService({
      tools: () => [{ name: names[service.lists.length - 1] ?? "" }],
    });
    using old = clientOf(service.url, { listMaxAgeMs: 0 });
    expect(await old.tools(never)).toMatchObject([{ name: "one" }]);
    expect(await old.tools(never)).toMatchObject([{ name: "two" }]);
    using kept = clientOf(service.url);
    expect(await kept.tools(never)).toMatchObject([{ name: "three" }]);
    names.push("four");
    expect(await kept.tools(never)).toMatchObject([{ name: "three" }]);
    expect(await kept.tools(never, { isFresh: true })).toMatchObject([{ name: "four" }]);
    expect(await kept.tools(never)).toMatchObject([{ name: "four" }]);
  });

  it("is not read for every unknown name in a row", async () => {
    await using service = await startToolService();
    using client = clientOf(service.url, { listFreshMs: 60_000 });
    for (let time = 0; time < 5; time++) await client.tools(never, { isFresh: true });
    expect(service.lists).toHaveLength(1);
  });

  it("is read anew after the application did not know a tool of it", async () => {
    await using service = await startToolService({
      call() {
        throw new ConnectError("no such tool", Code.NotFound);
      },
    });
    using client = clientOf(service.url);
    await client.tools(never);
    await client.call(callOf(), never);
    await client.tools(never);
    expect(service.lists).toHaveLength(2);
  });

  it("that cannot be had is the service's own unavailability, without addresses", async () => {
    using client = clientOf(`http://127.0.0.1:${await closedPort()}`);
    await expect(client.tools(never)).rejects.toMatchObject({
      kind: "unavailable",
      message: 'the tool service "crm" does not tell its tools',
      retryable: true,
    });
  });

  it("that does not come in time is unavailable", async () => {
    const silent = net.createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as net.AddressInfo;
    using client = clientOf(`http://127.0.0.1:${port}`, { listTimeoutMs: 20 });
    await expect(client.tools(never)).rejects.toMatchObject({ kind: "unavailable" });
    silent.close();
  });

  it.each([
    [[{ name: "__list__" }], '"__list__": name begins with "__", which is kept for the service'],
    [[{ name: "a" }, { name: "a" }], '"a" is listed twice'],
  ])("with a tool that cannot be served is refused, and says which", async (tools, fault) => {
    await using service = await startToolService({ tools: () => tools });
    using client = clientOf(service.url);
    await expect(client.tools(never)).rejects.toMatchObject({
      kind: "unavailable",
      message: `the tool service "crm" has a tool that cannot be served: ${fault}`,
      retryable: false,
    });
  });

  it("is waited for only as long as its caller lives, and comes for the others", async () => {
    await using service = await startToolService();
    using client = clientOf(service.url);
    const controller = new AbortController();
    const mine = client.tools(controller.signal);
    mine.catch(() => {});
    const others = client.tools(never);
    controller.abort(new Error("gone"));
    await expect(mine).rejects.toThrow("gone");
    expect(await others).toEqual([]);
    expect(service.lists).toHaveLength(1);
  });
});
