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

import turns

# seccomp user notification, linux/seccomp.h: _IOWR('!', 0, 80 bytes) and _IOWR('!', 1, 24 bytes).
_NOTIF_RECEIVE = 0xC0502100
_NOTIF_SEND = 0xC0182101
_NOTIF_CONTINUE = 1
_RESPONSE = struct.Struct("=QqiI")

_MIN_CHECK_SECONDS = 0.002

# What a tenant's guests may compute, all together, before they are busy and take turns: a short
# program is soon through, however many long ones there are. A guest that has been let go has it anew.
_YOUNG_SECONDS = 0.05
# How long a guest that waits is not looked at, at most: a thousand of them shall cost nothing.
_MAX_PATIENCE_SECONDS = 0.5

# A guest that has been refused so many threads asks only to keep the zygote busy.
_MAX_REFUSALS = 10_000


class _Watched:
    """A guest, and when it is looked at next."""

    __slots__ = ("limit", "group", "allowance", "until", "used", "patience", "due")

    def __init__(self, limit, group, allowance):
        self.limit = limit
        self.group = group
        self.allowance = allowance
        self.until = None  # CPU time at which it is busy; None while it is
        self.used = 0.0
        self.patience = _MIN_CHECK_SECONDS
        self.due = 0.0


class CpuWatch:
    """Tells which guests have used up their CPU time, and has those that compute for long take
    turns. A guest is looked at again no sooner than it could have used what it has left, and more
    and more seldom while it waits."""

    def __init__(self, cores):
        # A guest may have more for a moment than all of them have in the long run.
        self._cores = os.cpu_count() or 1
        self._guests = {}
        self._checks = []
        self._turns = turns.Turns(cores, self._let_go)

    def start(self, pid, limit_seconds, group, size):
        """Watches a guest, one of `size` of its group, until it has used `limit_seconds` of CPU time
        in all."""
        self._guests[pid] = _Watched(limit_seconds, group, _YOUNG_SECONDS / size)
        self._let_go(pid)

    def forget(self, pid):
        self._guests.pop(pid, None)
        self._turns.leave(pid)

    def timeout(self):
        """Seconds until the next look is due; None when there is none."""
        turn = self._turns.timeout()
        if not self._checks:
            return turn
        look = max(0.0, self._checks[0][0] - time.monotonic())
        return look if turn is None else min(look, turn)

    def overdrawn(self):
        """Guests that are over their limit now."""
        found = []
        now = time.monotonic()
        while self._checks and self._checks[0][0] <= now:
            due, pid = heapq.heappop(self._checks)
            guest = self._guests.get(pid)
            if guest is None or guest.due != due:
                continue
            used = turns.cpu_seconds(pid)
            if used is None:
                continue  # it has just died
            if used >= guest.limit:
                found.append(pid)
                continue
            if guest.until is not None and used >= guest.until:
                guest.until = None
                self._turns.enter(pid, guest.group)
            self._schedule(pid, guest, used)
        self._turns.rotate()
        return found

    def _let_go(self, pid):
        guest = self._guests[pid]
        used = turns.cpu_seconds(pid)
        if used is None:
            return  # it has just died
        guest.until = used + guest.allowance
        guest.patience = _MIN_CHECK_SECONDS
        self._schedule(pid, guest, used)

    def _schedule(self, pid, guest, used):
        wait = (guest.limit - used) / self._cores
        if guest.until is not None:
            if used - guest.used > guest.allowance / 16:
                guest.patience = _MIN_CHECK_SECONDS
            else:
                guest.patience = min(guest.patience * 2, _MAX_PATIENCE_SECONDS)
            wait = min(wait, max((guest.until - used) / self._cores, guest.patience))
        guest.used = used
        guest.due = time.monotonic() + max(_MIN_CHECK_SECONDS, wait)
        heapq.heappush(self._checks, (guest.due, pid))


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
