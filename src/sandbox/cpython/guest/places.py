"""Where in the program a tool is called: the same place has the same key in every run.

A place is the main program, a thread or an asyncio task. Its key is its parent's key, ".", and its
index among its parent's children in the order of their making; a call's key is its place's key, "/",
and its index among the place's calls. Parallel tasks so keep their keys whatever order they run in.
"""

import asyncio
import contextlib
import threading
import weakref


class Place:
    """Counts the calls and the children of one thread or task."""

    __slots__ = ("_key", "_calls", "_children")

    def __init__(self, key):
        self._key = key
        self._calls = -1
        self._children = -1

    def next_call(self):
        self._calls += 1
        return "%s/%d" % (self._key, self._calls)

    def child(self):
        self._children += 1
        return Place("%s.%d" % (self._key, self._children))


_root = Place("0")
_tasks = weakref.WeakKeyDictionary()
_threads = weakref.WeakKeyDictionary()


def restart():
    """Counts from the beginning, whatever has run to warm up."""
    _root.__init__("0")


def current():
    """The place of the code that is running."""
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    if task in _tasks:
        return _tasks[task]
    return _threads.get(threading.current_thread(), _root)


@contextlib.contextmanager
def kept():
    """Whatever this thread begins while no loop is running has its place below the current one's."""
    thread = threading.current_thread()
    outer = _threads.get(thread)
    _threads[thread] = current()
    try:
        yield
    finally:
        if outer is None:
            del _threads[thread]
        else:
            _threads[thread] = outer


async def _awaited(call):
    return await call


def follow():
    """From now on every new task and thread has its place. For the zygote."""
    create_task = asyncio.BaseEventLoop.create_task
    start = threading.Thread.start

    def create_task_in_place(self, coroutine, **options):
        place = current().child()
        if hasattr(type(coroutine), "forgotten"):  # a tool call: awaitable, and no coroutine
            coroutine = _awaited(coroutine)
        task = create_task(self, coroutine, **options)
        _tasks[task] = place
        return task

    def start_in_place(self):
        _threads[self] = current().child()
        start(self)

    asyncio.BaseEventLoop.create_task = create_task_in_place
    threading.Thread.start = start_in_place
