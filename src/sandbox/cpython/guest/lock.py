"""The lock that every guest wears before it reads a byte of source.

Order: priorities, descriptors, user id, capabilities, death signal, no_new_privs, Landlock,
limits that are always the same, seccomp. `tighten` follows when the limits of the run are known.
"""

import ctypes
import os
import resource
import signal
import struct

import landlock
import seccomp
import syscalls

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

_NICE = 19
_OPEN_FILES = 256
_PENDING_SIGNALS = 64
# A range that no distribution hands out; each guest of a root service gets an id of its own.
_FIRST_UID = 0x70000000

_libc = ctypes.CDLL(None, use_errno=True)

_CAPSET = syscalls.number("capset")
_CAPABILITY_HEADER = ctypes.create_string_buffer(struct.pack("=Ii", 0x20080522, 0), 8)  # version 3
_NO_CAPABILITIES = ctypes.create_string_buffer(24)


def _check(result, what):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, what + ": " + os.strerror(code))


def _prctl(option, argument, what):
    _check(_libc.prctl(option, ctypes.c_ulong(argument), ctypes.c_ulong(0), ctypes.c_ulong(0), ctypes.c_ulong(0)), what)


def close_from(first):
    """Closes every descriptor from `first` on."""
    if _libc.syscall(syscalls.number("close_range"), first, ctypes.c_uint(0xFFFFFFFF), 0) != 0:
        os.closerange(first, resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def yield_priority():
    """The service goes first: a guest has the lowest CPU priority and is the first to be killed
    when the machine has no memory left."""
    try:
        file = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, b"1000")
        os.close(file)
    except OSError:
        pass  # a container without /proc: the memory limit still holds
    os.nice(_NICE)


def drop_user():
    """A user id that nothing else has. For a service that runs as root."""
    user = _FIRST_UID + os.getpid()
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:
        # A user namespace that maps few ids: the one that stands for nobody.
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)


def forbid_capabilities():
    """No program that this process or a child of its executes can get a capability back. For the
    zygote, which executes none; its children inherit it."""
    for capability in range(64):
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0) != 0:
            break  # the last one, or not ours to drop
    _libc.prctl(_PR_CAP_AMBIENT, ctypes.c_ulong(_PR_CAP_AMBIENT_CLEAR_ALL), 0, 0, 0)
    # Queued signals are counted per user: those of a guest must not use up those of the service.
    resource.setrlimit(resource.RLIMIT_SIGPENDING, (_PENDING_SIGNALS, _PENDING_SIGNALS))
    for name in ("CORE", "FSIZE", "MEMLOCK", "MSGQUEUE", "RTPRIO", "NICE"):
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (0, 0))


def drop_capabilities():
    """No capability; user id 0 without them is an ordinary user."""
    _check(_libc.syscall(_CAPSET, _CAPABILITY_HEADER, _NO_CAPABILITIES), "capset")


def die_with(parent):
    """SIGKILL when the parent dies, also where it died before this call."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, "PR_SET_PDEATHSIG")
    if os.getppid() != parent:
        os._exit(1)


class Lock:
    """The parts of the lock that are the same for every guest, made once by the zygote."""

    def __init__(self, layers, paths, drops_user):
        self._drops_user = drops_user
        self._ruleset = landlock.create_ruleset(paths) if "landlock" in layers else None
        self._filters = seccomp.Filters() if "seccomp" in layers else None

    def enter(self, parent, keep):
        """Locks this process and closes every descriptor above `keep`. Gives the descriptor at
        which threads are asked for, or None. An OSError means that no guest may run here."""
        if self._drops_user:
            drop_user()
        drop_capabilities()
        die_with(parent)
        _prctl(_PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE")
        _prctl(_PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")
        if self._ruleset is not None:
            landlock.enter(self._ruleset)
        close_from(keep + 1)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
        return self._filters.enter_first() if self._filters is not None else None

    def tighten(self, memory_bytes, cpu_seconds):
        """Sets the limits of the run, then takes away the means to change them."""
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        if self._filters is not None:
            self._filters.enter_second()
