"""The allow-list of system calls of a guest, as two seccomp filters.

The first is put on before the limits of a run are known; the second, after they are set, takes
away what setting them needed. Everything that is not allowed fails with EPERM.
"""

import errno
import os
import socket
import struct

import allowlist
from bpf import ALLOW, ERRNO, FLAG_NEW_LISTENER, INT, NOTIFY, Filter, assemble, equals

# MAP_SHARED with MAP_ANONYMOUS: memory that stays when all but a page of it has been unmapped, so
# that a limit of address space does not bound it.
_SHARED_MEMORY = 0x21

# Stands in an assembled filter where the guest's process id belongs.
_PID_MARK = 0x5AFEC0DE


def _first_rules(pid, thread_action):
    rules = allowlist.rules(pid, thread_action)
    # Only stream pairs: see `sendto`.
    stream = equals(1, socket.SOCK_STREAM, INT & ~(socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK))
    rules.append(("socketpair", (equals(0, socket.AF_UNIX, INT), stream), ALLOW))
    rules.append(("mmap", (equals(3, _SHARED_MEMORY, _SHARED_MEMORY),), ERRNO | errno.EPERM))
    rules.append(("mmap", (), ALLOW))
    rules.append(("sched_getaffinity", (equals(0, 0, INT),), ALLOW))
    # What the second stage needs, and it takes away.
    rules += [(name, (), ALLOW) for name in ("prlimit64", "seccomp", "sendmsg")]
    return rules


def _second_rules():
    reading = (equals(0, 0, INT), equals(2, 0))
    return [
        ("prlimit64", reading, ALLOW),
        ("prlimit64", (), ERRNO | errno.EPERM),
        ("seccomp", (), ERRNO | errno.EPERM),
        ("sendmsg", (), ERRNO | errno.EPERM),
    ]


class Filters:
    """All filters, assembled once, so that a child only puts its process id in."""

    def __init__(self):
        denied = ERRNO | errno.EPERM
        self._asking = assemble(_first_rules(_PID_MARK, NOTIFY), denied)
        self._single = assemble(_first_rules(_PID_MARK, ERRNO | errno.EAGAIN), denied)
        mark = struct.pack("=I", _PID_MARK)
        self._pid_offset = self._asking.index(mark)
        self._asking = Filter(self._asking)
        self._single = Filter(self._single)
        self._second = Filter(assemble(_second_rules(), ALLOW))

    def enter_first(self):
        """Puts on the allow-list; gives the descriptor that thread starts are asked at, or None.

        Where the kernel gives no listener (another supervisor holds it), threads are refused.
        """
        pid = os.getpid()
        try:
            self._asking.replace(self._pid_offset, pid)
            return self._asking.install(FLAG_NEW_LISTENER)
        except OSError:
            self._single.replace(self._pid_offset, pid)
            self._single.install(0)
            return None

    def enter_second(self):
        """Takes away what setting the limits needed."""
        self._second.install(0)
