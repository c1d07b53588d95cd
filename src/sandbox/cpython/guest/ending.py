"""The end of a program as CPython ends one: threads are waited for, exit handlers run, buffers flushed."""

import atexit
import sys
import threading

import frames
import runner


def run_to_end(connection, streams, run):
    """Runs a program and all that belongs to its end, and sends its result. `run` gives the parts of its
    report, and calls the function that it is given once the program's code has run."""

    def wait_for_threads(had):
        """Wakes idle pools, joins threads that are not daemons, and those that they start. Where the end
        of the program may take a while, the host is told before what it has. Gives whether there were any."""
        had_threads = threading.active_count() > 1
        if had_threads or atexit._ncallbacks() > _own_callbacks:
            connection.send(frames.ENDING, runner.report(*had()))
        _safely(threading._shutdown)
        return had_threads

    # Made before the program's names are gone: it may have put functions of its own into modules of ours.
    report = runner.report(*run(wait_for_threads))
    _finish()
    streams.flush()
    connection.send(frames.RESULT, report)


def _finish():
    """Runs what else runs at the end of a program."""
    _safely(atexit._run_exitfuncs)
    _flush()  # while the program's own streams still have what they use
    _safely(sys.modules["__main__"].__dict__.clear)  # what is left is deleted: `__del__`, open files
    _flush()


def _flush():
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        _safely(lambda: stream.flush())


def _safely(step):
    """What fails at the end of a program does not change what it had; Python has printed it."""
    try:
        step()
    except BaseException:
        pass


_own_callbacks = 0


def prepare():
    """Counts the exit handlers that are there before any program. For the zygote."""
    global _own_callbacks
    _own_callbacks = atexit._ncallbacks()
