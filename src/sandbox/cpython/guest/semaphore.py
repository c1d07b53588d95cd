"""Semaphores of `multiprocessing` among the threads of this process, where there are no other processes.

The real ones are files in shared memory, a channel between tenants. With these the parts that work without
processes do: `multiprocessing.pool.ThreadPool`, `multiprocessing.dummy`, locks and queues.
"""

import threading
import time

RECURSIVE_MUTEX = 0


class ThreadSemaphore:
    """As `_multiprocessing.SemLock`."""

    SEM_VALUE_MAX = 2**31 - 1

    def __init__(self, kind, value, maxvalue, name, unlink):
        # Without a name: it is in no table of the system.
        self.kind, self.maxvalue, self.name, self.handle = kind, maxvalue, None, id(self)
        self._value = value
        self._owner, self._depth = None, 0
        self._changed = threading.Condition(threading.Lock())

    def acquire(self, block=True, timeout=None):
        me = threading.get_ident()
        deadline = None if timeout is None else time.monotonic() + max(timeout, 0)
        with self._changed:
            if self.kind == RECURSIVE_MUTEX and self._owner == me:
                self._depth += 1
                return True
            while self._value == 0:
                left = None if deadline is None else deadline - time.monotonic()
                if not block or (left is not None and left <= 0):
                    return False
                self._changed.wait(left)
            self._value -= 1
            self._owner, self._depth = me, self._depth + 1
            return True

    def release(self):
        with self._changed:
            if self.kind == RECURSIVE_MUTEX:
                if self._owner != threading.get_ident():
                    raise AssertionError("attempt to release recursive lock not owned by thread")
                if self._depth > 1:
                    self._depth -= 1
                    return
            elif self._value >= self.maxvalue:
                raise ValueError("semaphore or lock released too many times")
            self._value += 1
            self._owner, self._depth = None, self._depth - 1
            self._changed.notify()

    def _count(self):
        return self._depth

    def _is_mine(self):
        return self._depth > 0 and self._owner == threading.get_ident()

    def _get_value(self):
        return self._value

    def _is_zero(self):
        return self._value == 0

    def _after_fork(self):
        pass

    def __enter__(self):
        self.acquire()
        return self

    def __exit__(self, *_error):
        self.release()


def replace():
    """Puts these in place of the real ones. For the zygote."""
    try:
        import _multiprocessing
    except ImportError:
        return  # a build without them
    _multiprocessing.SemLock = ThreadSemaphore
