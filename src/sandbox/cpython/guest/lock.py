"""The lock that every guest wears before it reads a byte of source.

Order: priorities, descriptors, user id, capabilities, death signal, no_new_privs, Landlock,
limits that are always the same, seccomp. `tighten` follows when the limits of the run are known.
"""

import os
import resource

import landlock
import privileges
import seccomp

_OPEN_FILES = 256


def yield_priority(nice):
    """The service goes first: a guest has a lower CPU priority, by its group's or by its own, the
    lowest when it has computed for a while (watch.py), and is the first to be killed when the
    machine has no memory left."""
    try:
        file = os.open("self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(file, b"1000")
        os.close(file)
    except OSError:
        pass  # a container without /proc: the memory limit still holds
    os.nice(nice)


class Lock:
    """The parts of the lock that are the same for every guest, made once by the zygote. With no
    layers it is what is left of it when Landlock and seccomp are taken away."""

    def __init__(self, layers, paths):
        self._ruleset = landlock.create_ruleset(paths) if "landlock" in layers else None
        self._filters = seccomp.Filters() if "seccomp" in layers else None

    def enter(self, process, drops_user, parent, keep):
        """Locks this process, `process` by the host's count, and closes every descriptor above `keep`.
        Gives the descriptor at which threads are asked for, or None. An OSError means that no guest
        may run here."""
        if drops_user:
            privileges.drop_user(process)
        privileges.drop_capabilities()
        _die_with(parent)
        privileges.forbid_gains()
        if self._ruleset is not None:
            landlock.enter(self._ruleset)
        privileges.close_from(keep + 1)
        resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
        return self._filters.enter_first() if self._filters is not None else None

    def tighten(self, memory_bytes, cpu_seconds):
        """Sets the limits of the run, then takes away the means to change them."""
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        if self._filters is not None:
            self._filters.enter_second()


def _die_with(parent):
    """SIGKILL when the parent dies, also where it died before this call. In a process namespace the
    parent is 0, and one that has died has taken the whole namespace along."""
    privileges.die_with_parent()
    if os.getppid() not in (parent, 0):
        os._exit(1)
