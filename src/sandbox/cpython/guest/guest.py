"""A guest: one forked, locked process that runs one program and exits."""

import array
import functools
import json
import os
import socket
import sys
import time

import calls
import ending
import frames
import lock
import output
import runner
import stacks
import tools

# Where a guest's descriptors stand. The zygote keeps these numbers free; a guest that reads its
# program has only 0 (nothing), 1 and 2 (pipes for native output), and the first, second and last of these.
_SOCKET, _RAW_STDOUT, _ASKER, _RAW_STDERR = 3, 4, 5, 6
# The zygote's own descriptors begin here; below, it holds placeholders. The first is /dev/null.
NULL_DESCRIPTOR = 32

_NATIVE = ((frames.STDOUT, _RAW_STDOUT), (frames.STDERR, _RAW_STDERR))

THREAD_STACK_BYTES = 2 << 20

_STAY_SECONDS = 5


class Options:
    """What the zygote hands to each guest."""

    def __init__(self, lock, drops_user, token, nice, socket_path, asker, parent, base_memory, own_modules):
        self.lock = lock
        self.drops_user = drops_user
        self.token = token
        self.nice = nice  # of each guest, beside that of their group
        self.socket_path = socket_path  # descriptor of the host's socket file
        self.asker = asker  # descriptor on which the zygote is asked for threads
        self.parent = parent
        self.base_memory = base_memory
        self.own_modules = own_modules


def main(options):
    """Connects, locks, waits for limits and then for a program, runs it, and exits. Never returns.
    Until it is locked it works in /proc, as the zygote does."""
    status = 1
    try:
        lock.yield_priority(options.nice)
        process = int(os.readlink("self"))  # by the host's count; its own may be another
        connection = _connect(options)
        _warm_up()
        streams = output.redirect(connection, _NATIVE)
        os.chdir("/")
        _lock(options, process, connection)
        _serve(options, connection, streams)
        status = 0
    except (frames.Closed, OSError):
        pass  # the host is gone, or has been told what failed
    finally:
        os._exit(status)


def _connect(options):
    """Lays out the descriptors and connects to the host."""
    os.closerange(_SOCKET, NULL_DESCRIPTOR)
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    peer.connect("self/fd/%d" % options.socket_path)
    for channel in (1, 2):
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        os.dup2(writer, channel)
        if channel == 1:
            os.dup2(options.asker, writer)
    # A file of this guest's own: flags of a shared one would be seen by every other guest.
    nothing = os.open("self/fd/%d" % NULL_DESCRIPTOR, os.O_RDWR)
    os.dup2(nothing, 0)
    os.close(nothing)
    if (peer.fileno(), reader) != (_SOCKET, _RAW_STDERR):
        raise OSError("the zygote left a descriptor open")
    return frames.Connection(peer.detach())


def _warm_up():
    """Whatever running a program touches is copied now, while nobody waits for it."""
    program = json.loads(b'{"code":"None","context":{},"config":{}}')
    runner.report(*runner.run(program, None, 0, 1))
    frames.LIMITS.unpack(bytes(frames.LIMITS.size))


def _lock(options, process, connection):
    """Locks this process and tells the host that it waits."""
    asker = socket.socket(fileno=_ASKER)
    try:
        listener = options.lock.enter(process, options.drops_user, options.parent, _RAW_STDERR)
        if listener is not None:
            asker.sendmsg(
                [b"%d" % process],
                [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))],
            )
            os.close(listener)
        asker.close()
    except OSError as error:
        _report(connection, options, process, fault=str(error))
        raise
    _report(connection, options, process, cpuMs=time.process_time() * 1000)


def _report(connection, options, process, **state):
    report = {"pid": process, "token": options.token, **state}
    connection.send(frames.READY, json.dumps(report).encode())


def _serve(options, connection, streams):
    """Sets the limits, takes their means away, and only then reads and runs the program."""
    limits = frames.LIMITS.unpack(connection.receive_exactly(frames.LIMITS.size))
    memory_bytes, cpu_seconds, max_result_bytes, threads, seed, max_payload_bytes = limits[:6]
    options.lock.tighten(
        options.base_memory + memory_bytes + (threads + 1) * THREAD_STACK_BYTES, cpu_seconds
    )
    stacks.take(threads * THREAD_STACK_BYTES, threads)
    kind, payload = connection.receive()
    if kind != frames.PROGRAM:
        raise OSError("expected a program")
    program = json.loads(payload)
    del payload
    made = calls.Calls(connection, streams.flush, max_payload_bytes)
    made.max_open = program["maxOpenCalls"]
    granted = tools.Tools(
        made,
        program["tools"],
        program["hasMoreTools"],
    )
    # Our names are not the program's to import.
    for name in options.own_modules:
        del sys.modules[name]
    sys.argv = [runner.FILENAME]
    run = functools.partial(runner.run, program, granted, seed, max_result_bytes)
    ending.run_to_end(connection, streams, run)
    if made.are_open:
        # An answer that meets a closed socket breaks the host's side before it has read the result.
        # The host ends this process as soon as it has.
        time.sleep(_STAY_SECONDS)
