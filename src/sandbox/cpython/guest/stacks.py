"""Room for the stacks of threads, which the limit of address space counts as memory.

A program may have it for its threads and not for its data: until the first of them starts, all but a
part of it is taken.
"""

import mmap
import threading

_FREE_BYTES = 16 << 20  # for threads that are not started by threading.Thread
_taken = None
_max_threads = 0


def take(stack_bytes, max_threads):
    """Takes the room that is meant for the stacks of so many threads. Touches none of it."""
    global _taken, _max_threads
    _max_threads = max_threads
    if stack_bytes > _FREE_BYTES:
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | getattr(mmap, "MAP_NORESERVE", 0)
        _taken = mmap.mmap(-1, stack_bytes - _FREE_BYTES, flags=flags, prot=0)


def follow():
    """From now on the first thread gives the room to all. For the zygote."""
    start = threading.Thread.start

    def start_with_room(self):
        global _taken
        if _taken is not None:
            _taken.close()
            _taken = None
        try:
            start(self)
        except RuntimeError as error:
            if "new thread" not in str(error):
                raise
            fault = "can't start new thread: at most %d threads at once (limits.threads)"
            raise RuntimeError(fault % _max_threads) from None

    threading.Thread.start = start_with_room
