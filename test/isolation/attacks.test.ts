import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Executor } from "../../src/executors/executor.ts";
import { zygotes } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { noLock, startCpython } from "../support/toolchain.ts";

// Ways that once led past a limit or to another process, found by attacking the sandbox.
const prelude = `
import ctypes, errno, mmap, os, socket, time
libc = ctypes.CDLL(None, use_errno=True)
def call(*args):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(*words) < 0 else 'done'
def attempt(action):
    try:
        action(); return 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
`;

describe.skipIf(noLock || process.arch !== "x64")("an attack on the lock", () => {
  let executor: Executor;
  beforeAll(async () => {
    executor = await startCpython({ requireTier: "T2" });
  });
  afterAll(() => executor[Symbol.asyncDispose]());
  const answer = (code: string, config = {}) => jsonOf(executor, prelude + code, { config });

  it("gets no memory that its limit does not count", async () => {
    const code =
      "[attempt(lambda: mmap.mmap(-1, 4096)), attempt(lambda: mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))]";
    expect(await answer(code)).toEqual(["EPERM", "done"]);
  });

  it("opens nothing to truncate or write, nor by path only", async () => {
    const code =
      "[attempt(lambda: os.open(os.__file__, flags)) for flags in (os.O_RDONLY | os.O_TRUNC, os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_CREAT, os.O_PATH, os.O_TMPFILE | os.O_RDWR, os.O_RDONLY)]";
    expect(await answer(code)).toEqual([...Array(6).fill("EPERM"), "done"]);
  });

  it("starts no thread with a descriptor table, a namespace or a parent of its own", async () => {
    const flags = [0x10900, 0x10b00, 0x3d0b00, 0x203d0f00, 0x403d0f00, 0x3d8f00, 0x11, 0x4111];
    expect(await answer(`[call(56, f, 0, 0, 0, 0) for f in config['flags']]`, { flags })).toEqual(
      flags.map(() => "EPERM"),
    );
  });

  it("wakes nobody outside of its own process", async () => {
    const code =
      "word = ctypes.create_string_buffer(4)\n[call(202, word, op, 1, 0, word, 0) for op in (1, 3, 4, 5, 10, 6, 7, 129)]";
    expect(await answer(code)).toEqual([...Array(7).fill("EPERM"), "done"]);
  });

  it("reads no CPU clock but its own", async () => {
    const code =
      "[attempt(lambda: time.clock_gettime((~pid << 3) | 2)) for pid in (1, os.getppid(), config['service'])] + [attempt(lambda: time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID))]";
    expect(await answer(code, { service: process.pid })).toEqual([
      "EPERM",
      "EPERM",
      "EPERM",
      "done",
    ]);
  });

  it("leaves no flag on a descriptor for the next run", async () => {
    const flags = "import fcntl\nfcntl.fcntl(0, fcntl.F_GETFL)";
    const before = await answer(flags);
    await answer("import fcntl\nfcntl.fcntl(0, fcntl.F_SETFL, os.O_APPEND | os.O_NONBLOCK)");
    expect(await answer(flags)).toBe(before);
  });

  it("is not told who is at the other end of its socket", async () => {
    const code =
      "s = socket.socket(fileno=os.dup(3))\n[attempt(lambda: s.getsockopt(socket.SOL_SOCKET, option, 64)) for option in (17, 31, 77)] + [attempt(s.getpeername)]";
    expect(await answer(code)).toEqual(Array(4).fill("EPERM"));
  });

  it("queues few signals", async () => {
    const code =
      "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, {40})\nn = 0\nwhile call(234, os.getpid(), os.getpid(), 40) == 'done' and n < 10000: n += 1\nn";
    expect(await answer(code)).toBeLessThanOrEqual(64);
  });

  it("that asks for threads without end is killed", async () => {
    const code = `${prelude}
import threading, time
for _ in range(20):
    try:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        pass
while True:
    try:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        pass`;
    const { result } = await collect(executor, code, { limits: { activeMs: 20_000 } });
    expect(result).toMatchObject({ status: "failed", error: { reason: "crashed" } });
    expect(zygotes()).toHaveLength(1);
    expect((await collect(executor, "1")).result.status).toBe("completed");
  });

  it("gives exact values up to the bytes that the host reads, and says so beyond", async () => {
    const many = await collect(executor, "[0] * 500000");
    expect(many.result).toMatchObject({ status: "completed", value: { type: "list" } });
    const { result } = await collect(executor, "[0] * 600000");
    expect(result).toMatchObject({ status: "failed", error: { type: "ResultTooLarge" } });
  });
});
