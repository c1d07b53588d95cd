"""The allow-list of system calls of a walled Node process."""

import ctypes
import errno
import os

import allowlist
from bpf import ALL, ALLOW, ERRNO, INT, Filter, assemble, equals

# How it starts, waits and looks at itself. Its engine asks for the scheduling of its own threads by
# their numbers, which no filter can tell from those of others: reading them says that they exist.
_FREE = (
    "mmap arch_prctl eventfd2 capget sysinfo membarrier getrlimit sched_getaffinity "
    "sched_getscheduler sched_getparam sched_get_priority_max sched_get_priority_min"
).split()
_PR_SET_NAME = 15


def install(program, thread_action=ALLOW):
    """Puts on the allow-list for good. Gives the name by which alone the program `program` can be
    executed from now on: the filter knows it by its place in this process's memory."""
    name = ctypes.create_string_buffer(program.encode())
    rules = allowlist.rules(os.getpid(), thread_action)
    rules += [(call, (), ALLOW) for call in _FREE]
    rules.append(("prctl", (equals(0, _PR_SET_NAME, INT),), ALLOW))
    rules.append(("prlimit64", (equals(0, 0, INT), equals(2, 0)), ALLOW))
    rules.append(("execve", (equals(0, ctypes.addressof(name), ALL),), ALLOW))
    Filter(assemble(rules, ERRNO | errno.EPERM)).install(0)
    return name
