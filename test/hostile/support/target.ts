import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, vi } from "vitest";
import type { Settings } from "../../../src/server/settings.ts";
import { forkSignal } from "../../../src/shared/abort.ts";
import { connectClient } from "../../support/client.ts";

/** What a service under attack holds, after a collection of its garbage. */
export interface TargetState {
  /** On the heap and beside it. */
  readonly heldBytes: number;
  readonly rssBytes: number;
  readonly sockets: number;
  /** That would keep the process from ending. */
  readonly timers: number;
  readonly connections: number;
  readonly streams: number;
  readonly transitBytes: number;
  readonly inUse: number;
  /** Calls without a key that were begun and are over. */
  readonly unauthenticated: number;
  /** Stacks of what the service logged as faults of its own. */
  readonly faults: readonly string[];
}

/** A service in a process of its own. Disposing it throws when it did not live to its end. */
export interface Target extends AsyncDisposable {
  readonly port: number;
  readonly url: string;
  state(): Promise<TargetState>;
  /** The most that it ever had resident, bytes. */
  peakBytes(): number;
  /**
   * Attacks while a good client keeps calling. Throws where one of its calls failed or none was made,
   * or where afterwards the service does not come back to what it held at its start.
   */
  attack(attacks: () => Promise<void>): Promise<void>;
}

/** Resolves when the check holds; no test here says how fast that must be. */
export function eventually(check: () => unknown): Promise<unknown> {
  return vi.waitFor(check, { timeout: 30_000, interval: 50 });
}

/** Keys of a target's two tenants. */
export const keys = { good: "key-of-good", hostile: "key-of-hostile" } as const;
/** The headers with which the hostile tenant calls. */
export const hostile = { authorization: `Bearer ${keys.hostile}` } as const;

const MiB = 1024 * 1024;
vi.setConfig({ testTimeout: 180_000 });
// Caches and pools that grow once, over all attacks on one service: what each leaves behind adds up.
const slackBytes = 8 * MiB;

/** Starts a service to be attacked, with two tenants. */
export async function startTarget(settings: Settings = {}): Promise<Target> {
  const fixture = fileURLToPath(new URL("../fixtures/target.ts", import.meta.url));
  const child = spawn(process.execPath, ["--expose-gc", fixture], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const api_keys = Object.entries(keys).map(([tenant, key]) => ({ tenant, key }));
  child.send({ api_keys, ...settings });
  const [{ port }] = (await answerOf(child)) as [{ port: number }];
  const url = `http://127.0.0.1:${port}`;
  const state = async () => {
    child.send("state");
    const [answer] = (await answerOf(child)) as [TargetState];
    return answer;
  };
  using warm = connectClient(url, keys.good);
  for (let call = 0; call < 20; call += 1)
    await warm.executor.execute({ request: { code: "one" } });

  const atStart = (await state()).heldBytes;
  return {
    port,
    url,
    state,
    peakBytes: () =>
      1_024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]),
    async attack(attacks) {
      using good = keepCalling(url);
      await good.next();
      const before = await state();
      await attacks();
      await good.next();
      expect(good.failures).toEqual([]);
      await eventually(async () => {
        const after = await state();
        expect(after.faults).toEqual([]);
        expect(after).toMatchObject({ connections: 1, sockets: 1 });
        // The good client's own call may be open.
        expect(after.transitBytes).toBeLessThan(1_024);
        expect(after.streams).toBeLessThanOrEqual(1);
        expect(after.inUse).toBeLessThanOrEqual(1);
        // A few belong to the good client's call.
        expect(after.timers).toBeLessThan(before.timers + 10);
        expect(after.heldBytes).toBeLessThan(atStart + slackBytes);
      });
    },
    async [Symbol.asyncDispose]() {
      const alive = child.exitCode === null && child.signalCode === null;
      child.disconnect();
      if (alive) await once(child, "exit");
      expect({ alive, code: child.exitCode }).toEqual({ alive: true, code: 0 });
    },
  };
}

/** An honest caller beside the attack, one call after the other. */
function keepCalling(url: string) {
  const client = connectClient(url, keys.good);
  const failures: unknown[] = [];
  let isOver = false;
  let answered = Promise.withResolvers<void>();
  const call = async () => {
    while (!isOver) {
      try {
        const { execution } = await client.executor.execute({ request: { code: "one" } });
        expect(execution?.outcome?.result.case).toBe("success");
      } catch (error) {
        if (!isOver) failures.push(error);
      }
      answered.resolve();
      answered = Promise.withResolvers();
      await new Promise(setImmediate);
    }
  };
  void call();
  return {
    failures,
    /** Resolves when a call that begins from now on has been answered. */
    async next() {
      await answered.promise;
      await answered.promise;
    },
    [Symbol.dispose]() {
      isOver = true;
      client[Symbol.dispose]();
    },
  };
}

async function answerOf(child: ChildProcess): Promise<unknown[]> {
  using over = forkSignal(undefined);
  const exited = once(child, "exit", over).then(([code, signal]) => {
    throw new Error(`the service ended with ${code ?? signal}`);
  });
  exited.catch(() => {});
  try {
    return await Promise.race([once(child, "message", over), exited]);
  } finally {
    over.abort(new Error("it has answered"));
  }
}
