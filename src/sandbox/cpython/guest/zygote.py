"""The zygote: one warm interpreter that forks a locked guest for each run.

It is started with an empty environment and no descriptors but its standard ones. Numbers and
process ids pass through it, code and data never: each guest has a socket of its own to the host.
Commands and reports are lines of JSON on standard input and output; see ../zygote.ts.
"""

import collections
import functools
import gc
import json
import os
import select
import signal
import sys
import threading

_HERE = os.path.dirname(os.path.abspath(__file__))
_LOCK = os.path.join(os.path.dirname(os.path.dirname(_HERE)), "lock")
sys.path[:0] = [_HERE, _LOCK]

import absent  # noqa: E402
import bpf  # noqa: E402
import guest  # noqa: E402
import house  # noqa: E402
import landlock  # noqa: E402
import lock  # noqa: E402
import preload  # noqa: E402
import privileges  # noqa: E402
import trial  # noqa: E402
import watch  # noqa: E402

del sys.path[:2]

# Of all guests together; and of each, where they are not weighed together.
_GROUP_NICE = 10
_GUEST_NICE = 5


def missing_layers():
    """The layers of the lock that this kernel does not give, each with its error."""
    missing = {}
    try:
        landlock.abi()
    except OSError as error:
        missing["landlock"] = str(error)
    code = bpf.supported()
    if code is not None:
        missing["seccomp"] = str(OSError(code, "seccomp: " + os.strerror(code)))
    return missing


class Selector:
    """epoll with a function for each descriptor, which is told the events."""

    def __init__(self):
        self._epoll = select.epoll()
        self._functions = {}
        self._removed = set()

    def register(self, file, events, function):
        descriptor = file if isinstance(file, int) else file.fileno()
        self._epoll.register(descriptor, events)
        self._functions[descriptor] = function

    def unregister(self, descriptor):
        self._epoll.unregister(descriptor)
        del self._functions[descriptor]
        self._removed.add(descriptor)

    def run(self, timeout):
        self._removed.clear()
        for descriptor, events in self._epoll.poll(timeout):
            # An earlier one of this round may have removed it, and its number may be another's now.
            if descriptor not in self._removed:
                self._functions[descriptor](events)


class Zygote:
    """Forks, watches, kills and reaps guests at the host's word."""

    def __init__(self, start, nice):
        self._paths = preload.readable_paths(start["sitePackages"])
        self._locks = {bare: lock.Lock([] if bare else start["layers"], self._paths) for bare in (False, True)}
        self._drops_user = privileges.can_drop_user(self._paths)
        self._keeper = None
        self._selector = Selector()
        self._cpu = watch.CpuWatch(start["cores"])
        self._threads = watch.ThreadGate(self._selector)
        self._alive = {}
        self._over_cpu = set()
        self._to_fork = collections.deque()
        self._input = b""
        self._options = functools.partial(
            guest.Options,
            socket_path=os.open(start["socket"], os.O_PATH | os.O_CLOEXEC),
            asker=self._threads.asker.fileno(),
            parent=os.getpid(),
            base_memory=_virtual_memory_bytes(),
            own_modules=_own_modules(),
        )
        self._nice = nice
        self._commands = {
            "fork": self._fork_later,
            "enter": self._enter_house,
            "kill": self._kill,
            "watch": self._watch,
            "ping": self._ping,
        }
        reader, self._wakeup = os.pipe()
        for descriptor in (reader, self._wakeup):
            os.set_blocking(descriptor, False)
        self._reaper = reader
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._wakeup, warn_on_full_buffer=False)
        self._selector.register(0, select.EPOLLIN, self._on_input)
        self._selector.register(reader, select.EPOLLIN, self._on_child)

    def report_ready(self):
        _send({"ready": True})

    def run(self):
        """Serves until the host closes standard input. Between two forks everything else is looked
        at, so that a kill never waits for more than one of them."""
        while True:
            self._selector.run(0 if self._to_fork else self._cpu.timeout())
            for pid in self._cpu.overdrawn():
                self._over_cpu.add(pid)
                self._kill({"kill": pid})
            if self._to_fork:
                self._fork(*self._to_fork.popleft())

    def _on_input(self, _events):
        data = os.read(0, 65536)
        if not data:
            for pid in self._alive:
                os.kill(pid, signal.SIGKILL)
            os._exit(0)
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            command = json.loads(line)
            self._commands[next(iter(command))](command)

    def _fork_later(self, command):
        litter = (command["token"], command["bare"], command["nice"])
        self._to_fork.extend([litter] * command["fork"])

    def _enter_house(self, _command):
        """From now on guests are forked inside. Those that wait outside stay there."""
        refused = trial.reason_of_failure(functools.partial(house.enter, self._paths))
        if refused is None:
            self._keeper = house.enter(self._paths)
            privileges.forbid_capabilities()
            preload.warm_path_caches()
            self._drops_user = privileges.can_drop_user(self._paths)
        _send({"entered": refused is None, "refused": refused or ""})

    def _kill(self, command):
        pid = command["kill"]
        # Only what has not been reaped: its number cannot belong to anybody else yet.
        if pid not in self._alive:
            return
        self._cpu.forget(pid)  # it has no turn to wait for any more
        os.kill(pid, signal.SIGKILL)
        _hurry(pid)

    def _ping(self, _command):
        _send({"pong": True})

    def _watch(self, command):
        pid = command["watch"]
        if pid in self._alive:
            self._cpu.start(pid, command["cpuSeconds"], command["group"], command["groupSize"])
            self._threads.start(pid, command["threads"])

    def _fork(self, token, bare, nice):
        try:
            pid = os.fork()
        except OSError as error:
            _send({"forkFailed": str(error), "token": token})
            return
        if pid != 0:
            self._alive[pid] = token
            return
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        gc.enable()
        options = self._options(
            lock=self._locks[bare], drops_user=self._drops_user, token=token, nice=self._nice + nice
        )
        guest.main(options)

    def _on_child(self, _events):
        try:
            os.read(self._reaper, 4096)
        except BlockingIOError:
            pass
        while self._alive or self._keeper is not None:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
            if pid == 0:
                return
            if pid == self._keeper:
                os._exit(1)  # it has taken every guest along, and nothing can be forked any more
            token = self._alive.pop(pid)
            self._cpu.forget(pid)
            self._threads.forget(pid)
            over_cpu = pid in self._over_cpu
            self._over_cpu.discard(pid)
            _send({
                "exit": pid,
                "token": token,
                "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
                "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
                "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000,
                "peakMemoryBytes": usage.ru_maxrss * 1024,
                "overCpu": over_cpu,
            })


def _hurry(pid):
    """A process needs CPU time to die: behind a hundred busy guests, each thread would wait for it."""
    folder = "%d/task" % pid
    try:
        _go_first(pid)
        if os.stat(folder).st_nlink > 3:  # ".", ".." and the leader
            for thread in os.listdir(folder):
                _go_first(int(thread))
    except OSError:
        pass  # not root, or gone already


def _go_first(thread):
    if os.sched_getscheduler(thread) != os.SCHED_OTHER:
        os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
    os.setpriority(os.PRIO_PROCESS, thread, 0)


def _own_modules():
    """Names under which our files stand among the loaded modules."""
    files = {os.path.splitext(name)[0] for folder in (_HERE, _LOCK) for name in os.listdir(folder)}
    return sorted(files & set(sys.modules))


def _virtual_memory_bytes():
    with open("self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def _send(message):
    data = json.dumps(message).encode() + b"\n"
    while data:
        data = data[os.write(1, data):]


def _receive_line():
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return json.loads(line)


def main():
    """Says what this machine has, waits for the host's decision, then serves."""
    os.environ.clear()
    nice = 0 if privileges.leave_terminal(_GROUP_NICE) else _GUEST_NICE
    # The one folder of the host that the zygote needs; from inside a root of its own it has no name.
    os.chdir("/proc")
    null = os.open(os.devnull, os.O_RDWR)
    while null < guest.NULL_DESCRIPTOR:
        null = os.dup(null)
    _send({
        "version": "%d.%d.%d" % sys.version_info[:3],
        "missing": missing_layers(),
    })
    start = _receive_line()
    preload.load()
    absent.add_packages(start["sitePackages"])
    preload.warm_path_caches()
    preload.prepare()
    threading.stack_size(guest.THREAD_STACK_BYTES)
    preload.limit_malloc_arenas()
    zygote = Zygote(start, nice)
    privileges.forbid_capabilities()
    gc.collect()
    gc.disable()  # a collection in a guest before it runs would copy every page
    gc.freeze()
    zygote.report_ready()
    zygote.run()


main()
