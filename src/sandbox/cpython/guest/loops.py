"""Event loops within an event loop: a program whose top level awaits may also say `asyncio.run(main())`,
or `loop.run_until_complete(main())`. The loop that is running stands aside until the other is done."""

import asyncio
import contextlib
import functools

import places


def nest():
    """From now on event loops may be run within others. For the zygote."""
    asyncio.run = asyncio.runners.run = _aside(asyncio.run)
    if hasattr(asyncio, "Runner"):
        asyncio.Runner.run = _aside(asyncio.Runner.run)
    base = asyncio.BaseEventLoop
    base.run_forever = _aside(base.run_forever)
    base.run_until_complete = _on_another_loop(base.run_until_complete)


def _aside(run):
    @functools.wraps(run)
    def run_aside(*args, **options):
        with _standing_aside():
            return run(*args, **options)

    return run_aside


def _on_another_loop(run):
    @functools.wraps(run)
    def run_until_complete(self, future):
        loop = asyncio._get_running_loop()
        if loop is self and asyncio.iscoroutine(future):
            return asyncio.run(future)  # a loop cannot run within itself
        if loop is self:
            return run(self, future)  # which says so
        with _standing_aside():
            return run(self, future)

    return run_until_complete


@contextlib.contextmanager
def _standing_aside():
    loop = asyncio._get_running_loop()
    if loop is None:
        yield
        return
    task = asyncio.current_task(loop)
    with places.kept():
        if task is not None:
            asyncio._leave_task(loop, task)
        asyncio._set_running_loop(None)
        try:
            yield
        finally:
            asyncio._set_running_loop(loop)
            if task is not None:
                asyncio._enter_task(loop, task)
