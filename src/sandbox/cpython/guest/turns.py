"""Which of the guests that compute have a core now: they take turns, tenant by tenant."""

import collections
import os
import signal
import time

_TURN_SECONDS = 0.02
_LOWEST = 19


class Turns:
    """Lets as many busy guests run as keep the cores busy, at the lowest priority, and stops the
    others until it is their turn. A guest that spends its turn waiting for something is let go: it
    is busy again when it has computed for a while."""

    def __init__(self, cores, on_idle):
        self._places = cores + 1
        self._on_idle = on_idle
        self._groups = {}
        self._running = {}  # in the order of their turns' beginnings
        self._waiting = collections.OrderedDict()

    def enter(self, pid, group):
        """From now on the guest is busy, and takes turns."""
        _stand_back(pid)
        self._groups[pid] = group
        if len(self._running) < self._places:
            self._begin(pid)
        else:
            self._wait(pid)

    def leave(self, pid):
        """The guest is gone; without effect when it is not busy."""
        group = self._groups.pop(pid, None)
        if group is None:
            return
        if self._running.pop(pid, None) is None:
            line = self._waiting[group]
            line.remove(pid)
            if not line:
                del self._waiting[group]
        self._fill()

    def timeout(self):
        """Seconds until a turn is over that somebody waits for; None when nobody does."""
        if not self._waiting:
            return None
        began, _used = next(iter(self._running.values()))
        return max(0.0, began + _TURN_SECONDS - time.monotonic())

    def rotate(self):
        """Ends the turns that are over, where somebody waits."""
        now = time.monotonic()
        over = [pid for pid, (began, _) in self._running.items() if began + _TURN_SECONDS <= now]
        for pid in over:
            if not self._waiting:
                return
            _began, used = self._running.pop(pid)
            if _is_idle(pid, used):
                del self._groups[pid]
                self._on_idle(pid)
            else:
                self._wait(pid)
            self._fill()

    def _fill(self):
        while self._waiting and len(self._running) < self._places:
            group, line = self._waiting.popitem(last=False)
            pid = line.popleft()
            if line:
                self._waiting[group] = line
            _send(pid, signal.SIGCONT)
            self._begin(pid)

    def _begin(self, pid):
        self._running[pid] = (time.monotonic(), cpu_seconds(pid) or 0.0)

    def _wait(self, pid):
        _send(pid, signal.SIGSTOP)
        self._waiting.setdefault(self._groups[pid], collections.deque()).append(pid)


def cpu_seconds(pid):
    """CPU time of a process, all its threads, from its own clock (clock_getcpuclockid); None when
    it is gone."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return None


def _is_idle(pid, used_before):
    """Whether it waits for something, rather than for a core that it was not given."""
    used = cpu_seconds(pid)
    if used is None or used - used_before > _TURN_SECONDS / 2:
        return False
    try:
        return not any(_wants_core(pid, thread) for thread in os.listdir("%d/task" % pid))
    except OSError:
        return True  # it has just died


def _wants_core(pid, thread):
    # The zygote works in /proc. Field 3 is the state (proc(5)).
    with open("%d/task/%s/stat" % (pid, thread)) as file:
        return file.read().rsplit(")", 1)[1].split()[0] == "R"


def _send(pid, number):
    try:
        os.kill(pid, number)
    except OSError:
        pass  # it has just died


def _stand_back(pid):
    """All threads of a process run only when nothing else wants the core (sched(7), SCHED_IDLE);
    at the lowest priority where that is not ours to say, as root of a user namespace."""
    try:
        for thread in map(int, os.listdir("%d/task" % pid)):
            os.setpriority(os.PRIO_PROCESS, thread, _LOWEST)
            try:
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
            except PermissionError:
                pass
    except OSError:
        pass  # it has just died
