"""Frames between a guest and the host: u32 length, u8 type, payload. See ../frames.ts.

The socket is the guest's only way out. Whatever the guest does to this module or to the
descriptor, the host treats what arrives as hostile input.
"""

import os
import struct
import threading

READY, STDOUT, STDERR, RESULT, TOOL_CALL, ENDING = 1, 2, 3, 4, 5, 6
PROGRAM, TOOL_RESULT = 17, 18

_HEADER = struct.Struct("<IB")
# memory bytes, CPU seconds, result bytes, threads, seed, tool payload bytes, and room for two more
LIMITS = struct.Struct("<8Q")


class Closed(Exception):
    """The host is gone."""


class Connection:
    """The guest's end of the socket: whole frames, one at a time, from any thread."""

    def __init__(self, descriptor):
        self._descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, kind, payload):
        """Sends one frame; blocks while the host is not reading."""
        data = _HEADER.pack(len(payload), kind) + payload
        with self._lock:
            sent = os.write(self._descriptor, data)
            if sent < len(data):
                rest = memoryview(data)[sent:]
                while rest:
                    rest = rest[os.write(self._descriptor, rest):]

    def receive_exactly(self, size):
        """The next `size` bytes and not one more."""
        parts = []
        while size > 0:
            part = os.read(self._descriptor, min(size, 1 << 20))
            if not part:
                raise Closed()
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive(self):
        """The next frame: its type and payload."""
        length, kind = _HEADER.unpack(self.receive_exactly(_HEADER.size))
        return kind, self.receive_exactly(length)
