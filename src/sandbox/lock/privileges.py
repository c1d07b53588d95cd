"""What a process gives up, in any order before its filters: its user, its capabilities, its
descriptors, and a life of its own."""

import ctypes
import os
import resource
import select
import signal
import struct

import syscalls

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4

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


def drop_user(process):
    """A user id that nothing else has: that of process number `process` of the host. For a service
    that runs as root."""
    user = _FIRST_UID + process
    try:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    except OSError:
        # A user namespace that maps few ids: the one that stands for nobody.
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)


def can_drop_user(paths):
    """Whether the children of a root service can have user ids of their own and still read `paths`."""
    if os.geteuid() != 0:
        return False
    child = os.fork()
    if child == 0:
        status = 1
        try:
            drop_user(os.getpid())
            drop_capabilities()
            if all(os.access(path, os.R_OK) for path in paths):
                status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


def forbid_capabilities():
    """No program that this process or a child of its executes can get a capability back."""
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


def forbid_gains():
    """No debugger, no core dump, and no set-user-id program, for good."""
    _prctl(_PR_SET_DUMPABLE, 0, "PR_SET_DUMPABLE")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1, "PR_SET_NO_NEW_PRIVS")


def die_with_parent():
    """SIGKILL when the parent dies. A change of the user id undoes it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, "PR_SET_PDEATHSIG")


def leave_terminal(nice):
    """A session of its own: a terminal's signals are for the service to handle, and the kernel weighs
    all of this session together, by `nice`, against the service (sched_autogroup), however many they
    are. Gives whether it does: where it does not, each process has to yield by itself."""
    if os.getsid(0) != os.getpid():
        os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with open("/proc/self/autogroup", "w") as file:
            file.write("%d" % nice)
        with open("/proc/sys/kernel/sched_autogroup_enabled") as file:
            return file.read().strip() == "1"
    except OSError:
        return False  # a kernel without it


class Leash:
    """Ties the children of this process to its life; also those that see it as process 0, because
    they are in a process namespace of their own."""

    def __init__(self):
        self._reader, self._writer = os.pipe()

    def put_on(self):
        """In the child, after its last change of user: it dies with its parent, also where that died
        before this call."""
        os.close(self._writer)
        die_with_parent()
        if _is_hung_up(self._reader, 0):
            os._exit(1)
        os.close(self._reader)

    def hold(self):
        """In the parent: waits until the child wears it, or is gone."""
        os.close(self._reader)
        _is_hung_up(self._writer, None)
        os.close(self._writer)


def _is_hung_up(descriptor, timeout):
    """Whether nobody has the other end of a pipe open any more."""
    waiting = select.poll()
    waiting.register(descriptor, 0)
    return bool(waiting.poll(timeout))
