"""An asyncio event loop that waits on the way to the host: where there are neither sockets nor threads,
nothing else can wake it."""

import asyncio
import warnings

import channel

_wait = channel.wait


class EventLoop(asyncio.BaseEventLoop):
    """Timers, callbacks and tools; no sockets, no processes, no threads."""

    def __init__(self):
        super().__init__()
        self._selector = self

    def select(self, timeout):
        """What BaseEventLoop asks of a selector: the answers that come are settled as they do."""
        _wait(timeout)
        return ()

    def _process_events(self, events):
        pass

    def _write_to_self(self):
        pass  # whoever could call is the thread that would be woken


class _Policy(asyncio.events._BaseDefaultEventLoopPolicy):
    _loop_factory = EventLoop


def install():
    """Every event loop that is made from now on is one of these."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop_policy(_Policy())
    asyncio.EventLoop = EventLoop


def wait_with(wait):
    """From now on event loops wait by this."""
    global _wait
    _wait = wait
