"""The way to the host: devices of the interpreter's own. See devices.ts."""

import concurrent.futures
import os
import struct
import time

import calls
import frames

_DIRECTORY = "/dev/codemode/"
_SECONDS = struct.Struct("<d")
_FOREVER = float("inf")

_native_sleep = time.sleep
_answers = None
_sleeper = None


class _Nowhere:
    """A connection that takes everything and carries nothing: for what is run while there is no host."""

    def send(self, kind, payload):
        pass


NOWHERE = _Nowhere()


def connect():
    """Opens the devices; gives the connection to the host."""
    global _answers, _sleeper
    _answers = os.open(_DIRECTORY + "answers", os.O_WRONLY)
    _sleeper = os.open(_DIRECTORY + "sleep", os.O_WRONLY)
    return frames.Connection(os.open(_DIRECTORY + "host", os.O_RDWR))


def wait(seconds):
    """Blocks until the host has said something; False when it has not in time. None is without end."""
    if _answers is None:
        return False
    try:
        os.write(_answers, _SECONDS.pack(_FOREVER if seconds is None else seconds))
        return True
    except BlockingIOError:
        return False


def sleep(seconds, /):
    """Delays for a number of seconds, which may be a fraction."""
    if isinstance(seconds, (int, float)) and seconds > 0:
        _pause(seconds)
    else:
        _native_sleep(seconds)  # refuses what is no time


def _pause(seconds):
    os.write(_sleeper, _SECONDS.pack(seconds))


class Calls(calls.Calls):
    """Tool calls where no thread can wait for answers: whoever waits reads them."""

    def wait(self, seconds):
        """Waits until there is an answer, and hands on all that are there; at most so many seconds."""
        if self._fault is not None:  # no answer can be read any more
            _pause(_FOREVER if seconds is None else max(0, seconds))
            return
        while wait(seconds) and self.take():
            seconds = 0

    def _new_future(self):
        return _Answer(self)

    def _start_reader(self):
        self._is_reading = True


class _Answer(concurrent.futures.Future):
    """The value of a call to come."""

    def __init__(self, started):
        super().__init__()
        self._started = started

    def result(self, timeout=None):
        self._settle(timeout)
        return super().result(0)

    def exception(self, timeout=None):
        self._settle(timeout)
        return super().exception(0)

    def _settle(self, timeout):
        end = None if timeout is None else time.monotonic() + timeout
        while not self.done():
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return
            self._started.wait(left)
