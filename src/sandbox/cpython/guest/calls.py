"""Tool calls on their way: out as frames, back as futures, from any thread or task."""

import _thread
import collections
import concurrent.futures
import json
import threading

import frames
from values import NotJson, arguments_to_json


class ToolError(RuntimeError):
    """A tool call that has no value; `kind` says why, `tool` which."""

    def __init__(self, message, tool="", kind="exception"):
        super().__init__(message)
        self.tool = tool
        self.kind = kind


ToolError.__module__ = "builtins"  # how it is shown in a traceback


class Calls:
    """Sends calls and gives the answers to those who wait, in whatever order they come."""

    max_open = 100  # as the program's limits say: the host ends a guest that has more calls open

    def __init__(self, connection, flush_output, max_bytes):
        self._connection = connection
        self._flush_output = flush_output
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._sequence = 0
        self._open = {}
        self._waiting = collections.deque()  # for their turn: future, tool, place and arguments
        self._is_reading = False
        self._fault = None

    @property
    def are_open(self):
        """Whether an answer may still be on its way here."""
        return bool(self._open)

    def start(self, tool, arguments, place):
        """Sends a call when it is its turn; gives the future of its value. ToolError when the arguments
        cannot cross."""
        data = self._encode(tool, arguments)
        future = self._new_future()
        self._flush_output()
        with self._lock:
            if not self._is_reading:
                self._start_reader()
            if self._fault is not None:
                raise self._fault
            self._waiting.append((future, tool, place, data))
            self._send_waiting()
        return future

    def _send_waiting(self):
        """Sends what has its turn. Under the lock: numbers leave in their order."""
        while self._waiting and (len(self._open) < self.max_open or not self._open):
            future, tool, place, data = self._waiting.popleft()
            # A program that gives up a call (wait_for, a failing group) takes it back only while it
            # waits: later the answer still comes, and must find a future that takes it.
            if not future.set_running_or_notify_cancel():
                continue
            self._sequence += 1
            self._open[self._sequence] = (future, tool)
            header = {"seq": self._sequence, "key": place, "tool": tool}
            self._connection.send(frames.TOOL_CALL, json.dumps(header).encode("ascii") + b"\n" + data)

    def _new_future(self):
        return concurrent.futures.Future()

    def _start_reader(self):
        # Not a threading.Thread: the program's own threads are counted and waited for.
        try:
            _thread.start_new_thread(self._read, ())
        except RuntimeError:
            message = "no thread is left to wait for the tool's answer"
            raise ToolError(message, kind="unavailable") from None
        self._is_reading = True

    def _encode(self, tool, arguments):
        try:
            data = arguments_to_json(arguments).encode("utf-8")
        except NotJson as error:
            raise ToolError("%s: arguments: %s" % (tool, error), tool, "invalid_arguments") from None
        if len(data) > self._max_bytes:
            message = "%s: the arguments are %d bytes of JSON, at most %d are taken"
            raise ToolError(message % (tool, len(data), self._max_bytes), tool, "invalid_arguments")
        return data

    def _read(self):
        try:
            while self.take():
                pass
        except (frames.Closed, OSError):
            pass  # the host is gone, and this process with it

    def take(self):
        """Reads an answer and hands it on; False when no more can be read."""
        try:
            kind, payload = self._connection.receive()
            if kind == frames.TOOL_RESULT:
                self._settle(payload)
            return True
        except MemoryError as fault:
            # Half a frame has been read, so that no later one can be: whoever waits is told why.
            self._fault = fault
            for future, *_ in [*self._open.values(), *self._waiting]:
                if not future.cancelled():
                    future.set_exception(fault)
            return False

    def _settle(self, payload):
        """Hands an answer to who waits. Whatever goes wrong is theirs: the next answer still comes."""
        head, _, data = payload.partition(b"\n")
        header = json.loads(head)
        with self._lock:
            future, tool = self._open.pop(header["seq"], (None, None))
            self._send_waiting()
        if future is None:
            return  # it has been answered
        error = header.get("error")
        try:
            if error is None:
                future.set_result(json.loads(data))
            else:
                future.set_exception(ToolError(error["message"], tool, error["kind"]))
        except BaseException as fault:  # no memory for the value, for one
            future.set_exception(fault)
