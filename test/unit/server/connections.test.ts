import { expect, it } from "vitest";
import { Connections } from "../../../src/server/connections.ts";
import { socketOf } from "./socket-of.ts";

it("closes the oldest connection without a key for one too many, and none with a key", () => {
  const connections = new Connections({ keyless: 2, perTenant: 10 });
  const sockets = [1, 2, 3, 4].map((port) => socketOf(port));
  const [first, second, third, fourth] = sockets;
  if (!first || !second || !third || !fourth) throw new Error("no sockets");
  connections.add(first);
  connections.claim(first, "acme");
  for (const socket of [second, third, fourth]) connections.add(socket);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, false, false]);
  expect(connections.size).toBe(3);
});

it("counts a connection for each of its tenants, once, until it closes", () => {
  const connections = new Connections({ keyless: 10, perTenant: 1 });
  const [first, second] = [socketOf(1), socketOf(2)];
  for (const socket of [first, second]) connections.add(socket);
  connections.claim(first, "acme");
  connections.claim(first, "acme");
  connections.claim(first, "globex");
  for (const tenant of ["acme", "globex"])
    expect(() => connections.claim(second, tenant)).toThrow(
      expect.objectContaining({ kind: "overloaded", retryable: true }),
    );
  first.destroy();
  connections.claim(second, "acme");
});

it("keeps a newer connection of the same ends when an older one is said to be closed", () => {
  const connections = new Connections({ keyless: 10, perTenant: 1 });
  const [old, young] = [socketOf(1), socketOf(1)];
  connections.add(old);
  connections.add(young);
  old.emit("close");
  expect(connections.size).toBe(1);
  connections.claim(young, "acme");
  young.emit("close");
  expect(connections.size).toBe(0);
});

it("lets calls pass whose connection has closed meanwhile", () => {
  const connections = new Connections({ keyless: 1, perTenant: 1 });
  expect(() => connections.claim(socketOf(9), "acme")).not.toThrow();
});

it("knows to whom calls belong that came before their connection was claimed", () => {
  const connections = new Connections({ keyless: 10, perTenant: 10 });
  const [first, second] = [socketOf(1), socketOf(2)];
  for (const socket of [first, second]) connections.add(socket);
  const groups = [first, second].map((socket) => connections.groupOf(socket));
  connections.claim(first, "acme");
  connections.claim(first, "globex");
  expect(groups.map((group) => connections.ownerOf(group))).toEqual(["acme", groups[1]]);
  expect(connections.groupOf(first)).toBe("acme");
});
