"""Python in WebAssembly: made ready once and kept as memory, which each process runs one program in."""

import functools
import gc
import json
import os
import sys
import time

import calls
import channel
import ending
import event_loop
import frames
import library
import loops
import modules
import output
import places
import runner
import tools

# Modules of C code that stands on JavaScript, of which nothing is left: a program gets an ImportError.
# Whoever removes this and imports one ends the process.
_ABSENT = ("_ctypes", "_pyodide_core", "_pyodide", "pyodide", "pyodide_js", "js")

_WARM_UP = "import asyncio\nprint(end='')\nawait asyncio.sleep(0)"


def prepare():
    """Loads what programs commonly use. What is in memory afterwards is what every program starts with."""
    sys.path.remove("/codemode")
    sys.meta_path.insert(0, _Absent)
    modules.load()
    os.environ.clear()
    places.follow()
    tools.teach_json()
    library.prepare(tools.ToolCall)
    ending.prepare()
    event_loop.install()
    loops.nest()
    time.sleep = channel.sleep
    output.redirect(channel.NOWHERE)
    _warm_up()
    gc.collect()


def main():
    """Waits for limits and then for a program, runs it, and sends its result."""
    connection = channel.connect()
    streams = output.redirect(connection)
    _warm_up()
    connection.send(frames.READY, json.dumps({"pid": 1, "token": ""}).encode())
    # The first of the limits, memory, has been set by whoever read them for us.
    limits = frames.LIMITS.unpack(connection.receive_exactly(frames.LIMITS.size))
    _, _, max_result_bytes, _, seed, max_payload_bytes = limits[:6]
    kind, payload = connection.receive()
    if kind != frames.PROGRAM:
        raise OSError("expected a program")
    program = json.loads(payload)
    del payload
    started = channel.Calls(connection, streams.flush, max_payload_bytes)
    started.max_open = program["maxOpenCalls"]
    event_loop.wait_with(started.wait)
    granted = tools.Tools(started, program["tools"], program["hasMoreTools"])
    _hide_own_modules()
    sys.argv = [runner.FILENAME]
    run = functools.partial(runner.run, program, granted, seed, max_result_bytes)
    ending.run_to_end(connection, streams, run)


class _Absent:
    """Finds no module where there is one."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in _ABSENT:
            raise ModuleNotFoundError("No module named %r: it is not in this Python" % name, name=name)


def _warm_up():
    """Whatever running a program touches is compiled or loaded now, while nobody waits for it."""
    program = {"code": _WARM_UP, "context": {}, "config": {}}
    runner.report(*runner.run(program, None, 0, 1024))


def _hide_own_modules():
    """Our names are not the program's to import."""
    own = (calls, channel, ending, event_loop, frames, library, loops, modules, output, places, runner, tools)
    for module in own:
        del sys.modules[module.__name__]
    for name in ("serve", "values", "conversions", "source", "returns", "absent"):
        del sys.modules[name]
