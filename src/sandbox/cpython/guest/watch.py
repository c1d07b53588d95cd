"""What the zygote measures and decides about running guests, from outside: CPU time and threads."""

import array
import errno
import fcntl
import heapq
import os
import select
import signal
import socket
import struct
import time

# seccomp user notification, linux/seccomp.h: _IOWR('!', 0, 80 bytes) and _IOWR('!', 1, 24 bytes).
_NOTIF_RECEIVE = 0xC0502100
_NOTIF_SEND = 0xC0182101
_NOTIF_CONTINUE = 1
_RESPONSE = struct.Struct("=QqiI")

_MIN_CHECK_SECONDS = 0.002

# A guest that has computed for so long stands back behind those that have just begun: a short
# program is soon through, however many long ones of other tenants there are.
_YOUNG_SECONDS = 0.05
_LOWEST = 19

# A guest that has been refused so many threads asks only to keep the zygote busy.
_MAX_REFUSALS = 10_000


def cpu_seconds(pid):
    """CPU time of a process, all its threads, from its own clock (clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


class CpuWatch:
    """Tells which guests have used up their CPU time, and lets those that have used much of it
    stand back. A guest is looked at again no sooner than it could have used what it has left, so
    that waiting guests cost nothing."""

    def __init__(self):
        self._cores = os.cpu_count() or 1
        self._limits = {}
        self._young = {}
        self._checks = []

    def start(self, pid, limit_seconds):
        """Watches a guest until it has used `limit_seconds` of CPU time in all."""
        try:
            used = cpu_seconds(pid)
        except OSError:
            return  # it has just died
        self._limits[pid] = limit_seconds
        self._young[pid] = min(limit_seconds, used + _YOUNG_SECONDS)
        self._schedule(pid, self._young[pid] - used)

    def forget(self, pid):
        self._limits.pop(pid, None)
        self._young.pop(pid, None)

    def timeout(self):
        """Seconds until the next look is due; None when there is none."""
        return max(0.0, self._checks[0][0] - time.monotonic()) if self._checks else None

    def overdrawn(self):
        """Guests that are over their limit now."""
        found = []
        now = time.monotonic()
        while self._checks and self._checks[0][0] <= now:
            pid = heapq.heappop(self._checks)[1]
            limit = self._limits.get(pid)
            if limit is None:
                continue
            try:
                used = cpu_seconds(pid)
            except OSError:
                continue  # it has just died
            if used >= limit:
                found.append(pid)
                continue
            until = self._young.get(pid, limit)
            if used >= until:
                until = limit
                del self._young[pid]
                stand_back(pid)
            self._schedule(pid, until - used)
        return found

    def _schedule(self, pid, left_seconds):
        wait = max(_MIN_CHECK_SECONDS, left_seconds / self._cores)
        heapq.heappush(self._checks, (time.monotonic() + wait, pid))


def stand_back(pid):
    """All threads of a process run only when nothing else wants the core (sched(7), SCHED_IDLE);
    at the lowest priority where that is not ours to say, as root of a user namespace."""
    try:
        for thread in map(int, os.listdir("%d/task" % pid)):  # the zygote works in /proc
            os.setpriority(os.PRIO_PROCESS, thread, _LOWEST)
            try:
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
            except PermissionError:
                pass
    except OSError:
        pass  # it has just died


class ThreadGate:
    """Lets a guest start a thread only while it has fewer than its limit. The kernel holds the
    guest's clone call until this process, which the guest cannot reach, has answered."""

    def __init__(self, selector):
        self._selector = selector
        self._listeners = {}
        self._limits = {}
        self._held = {}
        self._refusals = {}
        self._received, self.asker = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        selector.register(self._received, select.EPOLLIN, self._on_listener)

    def start(self, pid, limit):
        """From now on the guest may have `limit` threads; those asked for before have been held."""
        self._limits[pid] = limit
        for listener, identity in self._held.pop(pid, ()):
            self._answer(pid, listener, identity)

    def forget(self, pid):
        self._limits.pop(pid, None)
        self._held.pop(pid, None)
        self._refusals.pop(pid, None)
        listener = self._listeners.pop(pid, None)
        if listener is not None:
            self._selector.unregister(listener)
            os.close(listener)

    def _on_listener(self, _events):
        """A new guest handed over the descriptor at which it asks."""
        size = array.array("i").itemsize
        data, ancillary, _flags, _address = self._received.recvmsg(32, socket.CMSG_SPACE(size))
        for _level, _kind, payload in ancillary:
            listener = array.array("i", payload[:size])[0]
            pid = int(data)
            self._listeners[pid] = listener
            self._selector.register(
                listener, select.EPOLLIN, lambda events: self._on_request(pid, listener, events)
            )

    def _on_request(self, pid, listener, events):
        if not events & select.EPOLLIN:  # every thread of the guest is gone; receiving would block
            self.forget(pid)
            return
        request = bytearray(80)
        try:
            fcntl.ioctl(listener, _NOTIF_RECEIVE, request)
        except OSError as error:
            if error.errno == errno.ENOENT:
                return  # the asking thread was killed meanwhile
            self.forget(pid)
            return
        (identity,) = struct.unpack_from("=Q", request)
        if pid in self._limits:
            self._answer(pid, listener, identity)
        else:  # it was faster than the host's word about it
            self._held.setdefault(pid, []).append((listener, identity))

    def _answer(self, pid, listener, identity):
        threads = _threads(pid)
        if threads is not None and threads < self._limits[pid]:
            response = _RESPONSE.pack(identity, 0, 0, _NOTIF_CONTINUE)
        else:
            response = _RESPONSE.pack(identity, 0, -errno.EAGAIN, 0)
            self._refusals[pid] = self._refusals.get(pid, 0) + 1
            if self._refusals[pid] > _MAX_REFUSALS:
                os.kill(pid, signal.SIGKILL)
        try:
            fcntl.ioctl(listener, _NOTIF_SEND, bytearray(response))
        except OSError:
            pass  # the asking thread was killed meanwhile


def _threads(pid):
    """Number of threads of a process: field 20 of PID/stat (proc(5)). None when it is gone."""
    try:
        with open("%d/stat" % pid) as file:  # the zygote works in /proc
            return int(file.read().rsplit(")", 1)[1].split()[17])
    except OSError:
        return None
