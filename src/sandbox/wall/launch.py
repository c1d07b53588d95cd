"""Starts a program inside the wall: gives up everything, then becomes the program.

Usage: launch.py PLAN, where PLAN is JSON: `layers`, `program`, `arguments`, `programs` (files that
the kernel executes to start it), `readable`, and `parent`, the process that it must not outlive.
With `check` instead of `arguments` it tries the layers and prints those that are refused, with why.
"""

import ctypes
import functools
import json
import os
import resource
import signal
import sys

_HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [_HERE, os.path.join(os.path.dirname(_HERE), "lock")]

import bpf  # noqa: E402
import landlock  # noqa: E402
import node_calls  # noqa: E402
import private_root  # noqa: E402
import privileges  # noqa: E402
import spaces  # noqa: E402
import trial  # noqa: E402

_FIRST_UNKNOWN_DESCRIPTOR = 4  # after the standard streams and the channel
_OPEN_FILES = 1024
# Behind the service, but not as far as Python's guests: an engine starts and routes, too.
_NICE = 5


def main(plan):
    if "check" in plan:
        print(json.dumps(_refused(plan)))
        return
    _tie_to(plan["parent"])
    privileges.close_from(_FIRST_UNKNOWN_DESCRIPTOR)
    privileges.leave_terminal(_NICE)
    _be_first_to_go()
    process = os.getpid()
    tie = functools.partial(_tie_to, plan["parent"])
    if "namespaces" in plan["layers"]:
        _enter_namespaces(plan)
        tie = _fork_inside().put_on
    _become(plan, process, tie)


def _refused(plan):
    """The layers that this machine does not give, each with its error."""
    trials = {
        "landlock": landlock.abi,
        "seccomp": _try_seccomp,
        "namespaces": functools.partial(_try_namespaces, plan),
    }
    reasons = {layer: trial.reason_of_failure(action) for layer, action in trials.items()}
    return {layer: reason for layer, reason in reasons.items() if reason is not None}


def _try_seccomp():
    code = bpf.supported()
    if code is not None:
        raise OSError(code, "seccomp: " + os.strerror(code))


def _try_namespaces(plan):
    _enter_namespaces(plan)
    if os.fork() == 0:  # the first of a process namespace
        os._exit(0)


def _enter_namespaces(plan):
    spaces.enter()
    private_root.enter(plan["readable"] + plan["programs"])


def _tie_to(parent):
    privileges.die_with_parent()
    if os.getppid() != parent:
        os._exit(1)


def _be_first_to_go():
    """The first to be killed when the machine has no memory left."""
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
    except OSError:
        pass  # a container without /proc


def _fork_inside():
    """Goes on in the first process of the new process namespace, which gets the leash on which it
    is held; what is left of this one outside waits for its end and ends in the same way."""
    leash = privileges.Leash()
    child = os.fork()
    if child == 0:
        return leash
    os.closerange(0, _FIRST_UNKNOWN_DESCRIPTOR)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(status))


def _become(plan, process, tie):
    """Locks this process and executes the program; `tie` makes it die with its parent."""
    paths, programs = plan["readable"], plan["programs"]
    privileges.forbid_capabilities()
    if privileges.can_drop_user(paths + programs):
        privileges.drop_user(process)
    tie()
    privileges.drop_capabilities()
    privileges.forbid_gains()
    resource.setrlimit(resource.RLIMIT_NOFILE, (_OPEN_FILES, _OPEN_FILES))
    privileges.close_from(_FIRST_UNKNOWN_DESCRIPTOR)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    program = plan["program"]
    words = [program] + plan["arguments"]
    arguments = (ctypes.c_char_p * (len(words) + 1))(*[word.encode() for word in words], None)
    environment = (ctypes.c_char_p * 1)(None)
    libc = ctypes.CDLL(None, use_errno=True)
    if "landlock" in plan["layers"]:
        landlock.enter(landlock.create_ruleset(paths, programs))
    name = program.encode()
    if "seccomp" in plan["layers"]:
        name = node_calls.install(program)
    libc.execve(name, arguments, environment)
    code = ctypes.get_errno()
    raise OSError(code, "%s: %s" % (program, os.strerror(code)))


main(json.loads(sys.argv[1]))
