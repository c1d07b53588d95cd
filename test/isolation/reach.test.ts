import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { zygotes } from "../support/processes.ts";
import { collect, jsonOf } from "../support/programs.ts";
import { noLock, startCpython } from "../support/toolchain.ts";

describe.skipIf(noLock)("out of reach from inside", () => {
  it("keeps the memory of a sibling out of reach", async () => {
    await using executor = await startCpython({ requireTier: "T2" });
    const controller = new AbortController();
    const ready = Promise.withResolvers<number>();
    const sibling = collect(
      executor,
      "import os, time\nsecret = bytearray(b'SECRET' * 1000)\nprint(os.getpid(), id(secret))\ntime.sleep(60)",
      {
        signal: controller.signal,
        onEvent: (event) =>
          event.type === "output" && ready.resolve(Number(event.text.split(" ")[0])),
      },
    );
    const pid = await ready.promise;
    const attempts = await jsonOf(
      executor,
      `
import ctypes, os, errno
libc = ctypes.CDLL(None, use_errno=True)
pid = config['pid']
def call(*args):
    return errno.errorcode.get(ctypes.get_errno()) if libc.syscall(*args) < 0 else 'done'
def attempt(f):
    try:
        f(); return 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
{
  'mem': attempt(lambda: open(f'/proc/{pid}/mem', 'rb').read(1)),
  'maps': attempt(lambda: open(f'/proc/{pid}/maps').read()),
  'environ': attempt(lambda: open(f'/proc/{pid}/environ').read()),
  'vm_readv': call(310, pid, 0, 0, 0, 0, 0),
  'ptrace': call(101, 16, pid, 0, 0),
  'kill': attempt(lambda: os.kill(pid, 9)),
  'tgkill': call(234, pid, pid, 9),
  'pidfd': call(434, pid, 0),
  'kcmp': call(312, pid, pid, 0, 0, 0),
}`,
      { config: { pid } },
    );
    // What is not in a guest's root is not there for it.
    for (const answer of Object.values(attempts as object)) {
      expect(["EPERM", "EACCES", "ENOENT"]).toContain(answer);
    }
    controller.abort();
    await sibling;
  });

  it("keeps the service's environment out of reach", async () => {
    process.env.CODEMODE_TEST_SECRET = "hunter2";
    try {
      await using executor = await startCpython({ requireTier: "T2" });
      expect(await jsonOf(executor, "import os\ndict(os.environ)")).toEqual({});
      for (const { zygote, guests } of zygotes()) {
        for (const { pid } of [zygote, ...guests]) {
          expect(readFileSync(`/proc/${pid}/environ`, "utf8")).toBe("");
        }
      }
    } finally {
      delete process.env.CODEMODE_TEST_SECRET;
    }
  });

  it("keeps the network out of reach, unix and abstract sockets included", async () => {
    let connections = 0;
    const listen = (options: object) =>
      new Promise<ReturnType<typeof createServer>>((resolve) => {
        const server = createServer(() => connections++);
        server.listen(options, () => resolve(server));
      });
    const abstract = `\0codemode-test-${process.pid}`;
    const servers = await Promise.all([
      listen({ host: "127.0.0.1", port: 0 }),
      listen({ path: abstract }),
    ]);
    const [{ port }] = servers.map((server) => server.address() as { port: number }) as [
      { port: number },
    ];
    await using executor = await startCpython({ requireTier: "T2" });
    const attempts = await jsonOf(
      executor,
      `
import socket, errno
def attempt(family, kind, address):
    try:
        with socket.socket(family, kind) as s:
            s.connect(address)
        return 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
def through_pair(address):
    a, b = socket.socketpair()
    try:
        a.connect(address); return 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
def datagram_pair():
    try:
        socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); return 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
name = '\\0' + config['abstract']
[
  attempt(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', config['port'])),
  attempt(socket.AF_INET, socket.SOCK_DGRAM, ('127.0.0.1', config['port'])),
  attempt(socket.AF_UNIX, socket.SOCK_STREAM, name),
  attempt(socket.AF_UNIX, socket.SOCK_DGRAM, name),
  attempt(socket.AF_INET6, socket.SOCK_STREAM, ('::1', config['port'])),
  through_pair(name), datagram_pair(),
]`,
      { config: { port, abstract: abstract.slice(1) } },
    );
    expect(attempts).toEqual(Array(7).fill("EPERM"));
    expect(connections).toBe(0);
    for (const server of servers) server.close();
  });

  it("keeps the files of the host as they are: contents, modes, owners, attributes and times", async () => {
    const directory = mkdtempSync(join(tmpdir(), "codemode-test-"));
    const file = join(directory, "file");
    writeFileSync(file, "text");
    chmodSync(directory, 0o777);
    chmodSync(file, 0o666);
    const before = { ...statSync(file), atimeMs: 0, atime: 0 };
    await using executor = await startCpython({ requireTier: "T2" });
    const attempts = await jsonOf(
      executor,
      `
import os, errno, shutil, pathlib, tempfile
f = config['file']; d = os.path.dirname(f)
def attempt(action):
    try:
        action(); return 'done'
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e))
{name: attempt(action) for name, action in {
  'read': lambda: open(f).read(), 'append': lambda: open(f, 'a'), 'truncate': lambda: os.truncate(f, 0),
  'chmod': lambda: os.chmod(f, 0o777), 'chown': lambda: os.chown(f, 0, 0), 'lchown': lambda: os.lchown(f, 0, 0),
  'utime': lambda: os.utime(f), 'setxattr': lambda: os.setxattr(f, 'user.x', b'1'), 'removexattr': lambda: os.removexattr(f, 'user.x'),
  'unlink': lambda: os.unlink(f), 'rename': lambda: os.rename(f, f + '2'), 'link': lambda: os.link(f, f + '2'),
  'symlink': lambda: os.symlink(f, f + '2'), 'mkdir': lambda: os.mkdir(d + '/new'), 'mkfifo': lambda: os.mkfifo(d + '/new'),
  'listdir': lambda: os.listdir(d), 'home': lambda: os.listdir('/root'), 'root': lambda: os.listdir('/'),
  'proc': lambda: os.listdir('/proc/self/fd'), 'dev': lambda: open('/dev/null').read(), 'shm': lambda: open('/dev/shm/x', 'w'),
  'chdir': lambda: os.chdir('/tmp'), 'chroot': lambda: os.chroot('/'), 'tempfile': lambda: tempfile.TemporaryFile(),
}.items()}`,
      { config: { file } },
    );
    const answers = attempts as Record<string, string>;
    for (const [name, answer] of Object.entries(answers)) {
      expect(["EPERM", "EACCES", "ENOENT"], name).toContain(answer);
    }
    expect({ ...statSync(file), atimeMs: 0, atime: 0 }).toEqual(before);
    expect(readFileSync(file, "utf8")).toBe("text");
    rmSync(directory, { recursive: true });
  });

  it("does not show what is installed beside the standard library", async () => {
    await using executor = await startCpython({ requireTier: "T2" });
    const code = `
import os, sysconfig, errno
def attempt(path):
    try:
        return os.listdir(path) and 'done'
    except OSError as e:
        return errno.errorcode[e.errno]
[attempt(p) for p in {sysconfig.get_path('purelib'), sysconfig.get_path('platlib'), sysconfig.get_path('scripts'), sysconfig.get_path('stdlib')}]`;
    for (const answer of (await jsonOf(executor, code)) as string[]) {
      expect(["EACCES", "ENOENT"]).toContain(answer);
    }
  });
});
