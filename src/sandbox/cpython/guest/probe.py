# Runs as a guest's program: tries to break out in every way that the lock must refuse, and says
# what came back. "done" means that the wall has a hole. The host checks the traces on its own side.
import ctypes
import errno
import mmap
import os
import socket
import time

_ARM = os.uname().machine in ("aarch64", "arm64")
_libc = ctypes.CDLL(None, use_errno=True)
_canary = config["canary"]
_outside = os.path.dirname(_canary)


def _call(x86, arm, *arguments):
    """A system call by its number; OSError when it is refused."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    if _libc.syscall(arm if _ARM else x86, *words) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _fork():
    if os.fork() == 0:
        os._exit(0)


def _connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as peer:
        peer.settimeout(1)
        peer.connect(address)


def _write():
    with open(_canary, "a") as file:
        file.write("touched")


def _truncate():
    """A name that nothing has, in a folder that may be read: where the flag is let through, ENOENT."""
    os.open(os.path.dirname(os.__file__) + "/codemode-nothing", os.O_RDONLY | os.O_TRUNC)


def _create():
    with open(_outside + "/created", "x"):
        pass


def _environment():
    if dict(os.environ):
        return
    with open("/proc/self/environ", "rb") as file:
        file.read()


def _descriptors():
    """Descriptors beyond those of a guest: nothing, two pipes and their ends, the socket."""
    found = []
    for descriptor in range(256):
        try:
            os.fstat(descriptor)
            found.append(descriptor)
        except OSError:
            pass
    if set(found) <= {0, 1, 2, 3, 4, 6}:
        raise OSError(errno.EBADF, "none")


_NEVER = b"/codemode-nothing\0"
_FILES = {
    "read a file of the host": lambda: open(_canary).read(),
    "list a directory of the host": lambda: os.listdir(_outside),
    "write to a file of the host": _write,
    "create a file": _create,
    "remove a file of the host": lambda: os.unlink(_canary),
    "read the environment of the service": _environment,
    "read the memory map of the parent": lambda: open("/proc/%d/maps" % os.getppid()).read(),
}
_KERNEL = {
    "truncate a file that may be read": _truncate,
    "change the mode of a file": lambda: os.chmod(_canary, 0o777),
    "change the owner of a file": lambda: os.chown(_canary, os.getuid(), os.getgid()),
    "change the times of a file": lambda: os.utime(_canary, (0, 0)),
    "set an attribute of a file": lambda: os.setxattr(_canary, "user.probe", b"1"),
    "connect to a TCP port": lambda: _connect(socket.AF_INET, ("127.0.0.1", config["port"])),
    "connect to a unix socket": lambda: _connect(socket.AF_UNIX, config["unix"]),
    "open a UDP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "fork": _fork,
    "exec": lambda: _call(59, 221, _NEVER, 0, 0),
    "signal the parent": lambda: os.kill(os.getppid(), 0),
    "signal the service": lambda: os.kill(config["service"], 0),
    "open the parent by a process descriptor": lambda: _call(434, 434, os.getppid(), 0),
    "ptrace the parent": lambda: _call(101, 117, 16, os.getppid(), 0, 0),
    "read the memory of the parent": lambda: _call(310, 270, os.getppid(), 0, 0, 0, 0, 0),
    "raise a limit (prlimit)": lambda: _call(302, 261, 0, 7, ctypes.create_string_buffer(b"\xff" * 16), 0),
    "change process attributes (prctl)": lambda: _call(157, 167, 4, 1, 0, 0, 0),
    "change its own priority": lambda: _call(141, 140, 0, 0, 5),
    "change its own scheduling": lambda: _call(144, 119, 0, 0, ctypes.create_string_buffer(8)),
    "get shared memory (shmget)": lambda: _call(29, 194, 0, 4096, 0o1600),
    "open a message queue (mq_open)": lambda: _call(240, 180, b"/probe\0", 0o102, 0o600, 0),
    "set up io_uring": lambda: _call(425, 425, 1, ctypes.create_string_buffer(120)),
    "use the kernel's keys (keyctl)": lambda: _call(250, 219, 0, -3, 1),
    "make namespaces (unshare)": lambda: _call(272, 97, 0x10000000),
    "mount": lambda: _call(165, 40, b"none\0", b"/\0", b"tmpfs\0", 0, 0),
    "load BPF": lambda: _call(321, 280, 0, 0, 0),
    "open a performance counter": lambda: _call(298, 241, 0, 0, -1, -1, 0),
    "make hidden memory (memfd_create)": lambda: _call(319, 279, b"probe\0", 0),
    "get memory that no limit counts": lambda: mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS),
    "have pages merged with those of others (madvise)": lambda: mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).madvise(12),
    "wake a thread of another process (futex)": lambda: _call(202, 98, ctypes.create_string_buffer(4), 1, 1),
    "read the CPU clock of the service": lambda: time.clock_gettime((~config["service"] << 3) | 2),
    "ask who is at the other end of its socket": lambda: _call(55, 209, 3, 1, 17, ctypes.create_string_buffer(12), ctypes.byref(ctypes.c_uint32(12))),
    "lock a file": lambda: _call(73, 32, 0, 2),
    "keep a descriptor of the host": _descriptors,
}


def _try(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done"


result = {
    "files": {name: _try(attempt) for name, attempt in _FILES.items()},
    "kernel": {name: _try(attempt) for name, attempt in _KERNEL.items()},
}
