"""sys.stdout and sys.stderr as frames on the one socket, so that their order holds."""

import io
import os
import sys
import threading
import time

import frames

_MAX_FRAME = 32 * 1024
_PATIENCE_SECONDS = 0.01


def redirect(connection, descriptors=()):
    """Puts a guest's standard streams in place; gives what they write to. `descriptors` are pairs of a
    channel and the pipe in which native output for it arrives, which is not waited for."""
    sink = Output(connection, descriptors)
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.stdout = sys.__stdout__ = sink.stream(frames.STDOUT, "<stdout>")
    sys.stderr = sys.__stderr__ = sink.stream(frames.STDERR, "<stderr>")
    return sink


class Output:
    """Joins what is written within a line to one frame, and both channels to one order."""

    def __init__(self, connection, descriptors):
        self._connection = connection
        self._descriptors = descriptors
        self._lock = threading.RLock()
        self._channel = frames.STDOUT
        self._pending = bytearray()
        self._pending_since = 0.0

    def write(self, channel, data):
        """Takes bytes. They leave at a line's end, a change of channel, 32 KiB, or with the next
        write once they have waited for 10 ms."""
        with self._lock:
            if channel != self._channel:
                self._send()
                self._channel = channel
            late = False
            if not self._pending:
                self._take_native()  # it was written before
                self._pending_since = time.monotonic()
            else:
                late = time.monotonic() - self._pending_since > _PATIENCE_SECONDS
            self._pending += data
            if late or b"\n" in data or len(self._pending) >= _MAX_FRAME:
                self._send()

    def flush(self):
        """Sends what is pending, and what native code has written since."""
        with self._lock:
            self._send()
            self._take_native()

    def _send(self):
        pending = self._pending
        if not pending:
            return
        self._pending = bytearray()
        for start in range(0, len(pending), _MAX_FRAME):
            self._connection.send(self._channel, bytes(pending[start:start + _MAX_FRAME]))

    def _take_native(self):
        """Sends what was written to the descriptors themselves. Nothing of the streams is pending then."""
        for channel, descriptor in self._descriptors:
            try:
                while True:
                    data = os.read(descriptor, _MAX_FRAME)
                    if not data:
                        break
                    self._connection.send(channel, data)
            except OSError:
                pass  # empty, or closed by the guest

    def stream(self, channel, name):
        """A text stream of a channel, with a binary `buffer`, as Python programs expect them."""
        raw = _Channel(self, channel, name)
        return io.TextIOWrapper(
            raw, encoding="utf-8", errors="backslashreplace", newline="\n", write_through=True
        )


class _Channel(io.RawIOBase):
    """The binary end of a text stream."""

    def __init__(self, output, channel, name):
        self._output = output
        self._channel = channel
        self.name = name
        self.mode = "wb"

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self._output.write(self._channel, data)
        return len(data)

    def flush(self):
        self._output.flush()
