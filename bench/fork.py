"""Bare fork + exit of what the zygote is: the same interpreter flags, modules and frozen heap, and
nothing of its work (no lock, no socket, no program). Prints forks per second, one after the other
and with two in flight, as a line of JSON for each line that it reads; the line is the seconds."""

import gc
import json
import os
import sys
import time

sys.path[:0] = sys.argv[1:]

import guest  # noqa: E402, F401
import preload  # noqa: E402
import watch  # noqa: E402, F401

preload.load()
preload.warm_path_caches()
preload.limit_malloc_arenas()
gc.collect()
gc.disable()
gc.freeze()


def _rate(seconds, in_flight):
    count = 0
    running = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds:
        if running == in_flight:
            os.wait()
            running -= 1
            count += 1
        if os.fork() == 0:
            os._exit(0)
        running += 1
    for _ in range(running):
        os.wait()
    return (count + running) / (time.perf_counter() - start)


for line in sys.stdin:
    seconds = float(line) / 2
    print(json.dumps({"serial": _rate(seconds, 1), "pair": _rate(seconds, 2)}), flush=True)
