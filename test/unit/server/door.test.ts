import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Connections } from "../../../src/server/connections.ts";
import { createDoor, networkOf } from "../../../src/server/door.ts";
import { socketOf } from "./socket-of.ts";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A door at which connections say their ports when they are let in. */
function startDoor() {
  const connections = new Connections({ keyless: 1_000, perTenant: 1_000 });
  const enter = createDoor(connections);
  const served: number[] = [];
  const come = (port: number, address?: string, serve = () => {}) => {
    const socket = socketOf(port, address);
    enter(socket, () => {
      served.push(port);
      serve();
    });
    return socket;
  };
  return { connections, served, come };
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await setImmediate();
}

async function pass(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 1) {
    vi.advanceTimersByTime(1);
    await turns(2);
  }
}

it("lets strangers of one network in a hundred at once and then some 60 a second, others at once", async () => {
  const { served, come } = startDoor();
  for (let port = 0; port < 200; port += 1) come(port);
  await turns(300);
  expect(served.length).toBeGreaterThan(95);
  expect(served.length).toBeLessThan(105);
  come(1_000, "10.0.0.9");
  await turns(2);
  expect(served.at(-1)).toBe(1_000);
  const before = served.length;
  await pass(1_000);
  expect(served.length - before).toBeGreaterThan(55);
  expect(served.length - before).toBeLessThan(70);
  await pass(1_000);
  expect(served).toHaveLength(201);
  expect(vi.getTimerCount()).toBe(0);
});

it("lets any number in that soon show a key", async () => {
  const { connections, served, come } = startDoor();
  for (let port = 0; port < 500; port += 1) {
    const socket = come(port, undefined, () => connections.claim(socket, "acme"));
  }
  await turns(600);
  expect(served).toHaveLength(500);
});

it("gives what was spent on a connection back once, however many keys it shows", async () => {
  const { connections, served, come } = startDoor();
  const socket = come(0);
  await turns(2);
  for (let key = 0; key < 1_000; key += 1) connections.claim(socket, `tenant-${key}`);
  for (let port = 1; port <= 200; port += 1) come(port);
  await turns(300);
  expect(served.length).toBeLessThan(110);
});

it("lets nobody in who left, or failed, while waiting", async () => {
  const { served, come } = startDoor();
  come(1).destroy();
  const failed = come(2);
  failed.emit("error", new Error("reset"));
  expect(failed.destroyed).toBe(true);
  const stayed = come(3);
  await turns(5);
  expect(served).toEqual([3]);
  // What fails from now on is the server's.
  expect(stayed.listenerCount("error")).toBe(0);
});

it.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "::ffff:203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"],
  ["2001:db8:1:2::9", "2001:db8:1:2::"],
  ["2001:db8::9", "2001:db8::"],
  ["::1", "::"],
  ["", ""],
])("takes %j to be of the network %j", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
