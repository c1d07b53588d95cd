import { getEventListeners } from "node:events";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  forkSignal,
  onAbort,
  sleep,
  startDeadline,
  startTimer,
  untilAborted,
} from "../../../src/shared/abort.ts";

const reason = new Error("time is up");
const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("startDeadline", () => {
  it("aborts with its reason when the time is up", () => {
    using deadline = startDeadline({ ms: 100, reason });
    vi.advanceTimersByTime(99);
    expect(deadline.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadline.signal.reason).toBe(reason);
  });

  it("aborts with its parent and the parent's reason", () => {
    const parent = new AbortController();
    using deadline = startDeadline({ ms: 100, reason, parent: parent.signal });
    parent.abort("gone");
    expect(deadline.signal.reason).toBe("gone");
    vi.advanceTimersByTime(100);
    expect(deadline.signal.reason).toBe("gone");
  });

  it("starts aborted, and starts no timer, under a parent that has aborted", () => {
    using deadline = startDeadline({ ms: 100, reason, parent: AbortSignal.abort("gone") });
    expect(deadline.signal.reason).toBe("gone");
    expect(vi.getTimerCount()).toBe(0);
  });

  it("leaves neither a timer nor a listener when it is disposed", () => {
    const parent = new AbortController();
    startDeadline({ ms: 100, reason, parent: parent.signal })[Symbol.dispose]();
    expect(vi.getTimerCount()).toBe(0);
    expect(listeners(parent.signal)).toBe(0);
  });

  it("leaves no listener on its parent when the time is up", () => {
    const parent = new AbortController();
    using _ = startDeadline({ ms: 100, reason, parent: parent.signal });
    vi.advanceTimersByTime(100);
    expect(listeners(parent.signal)).toBe(0);
  });
});

describe("startTimer", () => {
  it("does not fire at once for a time that a timer of Node cannot hold", () => {
    const callback = vi.fn();
    using _ = startTimer(2 ** 31, callback);
    vi.advanceTimersByTime(60_000);
    expect(callback).not.toHaveBeenCalled();
  });
});

describe("forkSignal", () => {
  it("aborts on its own without its parent", () => {
    const parent = new AbortController();
    const child = forkSignal(parent.signal);
    child.abort(reason);
    expect(child.signal.reason).toBe(reason);
    expect(parent.signal.aborted).toBe(false);
    expect(listeners(parent.signal)).toBe(0);
  });

  it("no longer follows its parent once disposed", () => {
    const parent = new AbortController();
    const child = forkSignal(parent.signal);
    child[Symbol.dispose]();
    parent.abort();
    expect(child.signal.aborted).toBe(false);
  });
});

describe("onAbort", () => {
  it("calls back at once for a signal that has aborted", () => {
    const callback = vi.fn();
    onAbort(AbortSignal.abort("gone"), callback);
    expect(callback).toHaveBeenCalledExactlyOnceWith("gone");
  });

  it("does not call back after it was disposed", () => {
    const controller = new AbortController();
    const callback = vi.fn();
    onAbort(controller.signal, callback)[Symbol.dispose]();
    controller.abort();
    expect(callback).not.toHaveBeenCalled();
  });
});

describe("sleep", () => {
  it("rejects with the signal's reason and clears its timer", async () => {
    const controller = new AbortController();
    const slept = sleep(1_000, controller.signal);
    controller.abort(reason);
    await expect(slept).rejects.toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("resolves after its time and leaves no listener", async () => {
    const controller = new AbortController();
    const slept = sleep(1_000, controller.signal);
    await vi.advanceTimersByTimeAsync(1_000);
    await slept;
    expect(listeners(controller.signal)).toBe(0);
  });
});

describe("untilAborted", () => {
  it("gives the value and leaves no listener", async () => {
    const controller = new AbortController();
    expect(await untilAborted(Promise.resolve(7), controller.signal)).toBe(7);
    await vi.waitFor(() => expect(listeners(controller.signal)).toBe(0));
  });

  it("passes a rejection on", async () => {
    const controller = new AbortController();
    await expect(untilAborted(Promise.reject(reason), controller.signal)).rejects.toBe(reason);
  });

  it("does not leave the late rejection of an abandoned promise unhandled", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    const late = Promise.withResolvers<never>();
    await expect(untilAborted(late.promise, AbortSignal.abort(reason))).rejects.toBe(reason);
    late.reject(new Error("late"));
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });
});
