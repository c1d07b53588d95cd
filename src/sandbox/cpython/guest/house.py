"""The second wall: namespaces and a root of their own for the zygote and all that it forks."""

import os
import signal

import private_root
import privileges
import spaces


def enter(paths):
    """Moves this process into the house, where `paths` can be read and nothing else is. Gives the
    process that holds it: with that one all that were forked from now on die. The working directory
    stays where it is: outside."""
    outside = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    spaces.enter()
    private_root.enter(paths)
    os.fchdir(outside)
    os.close(outside)
    return _fork_keeper()


def _fork_keeper():
    """The first process of a process namespace; the kernel ends the namespace with it."""
    leash = privileges.Leash()
    keeper = os.fork()
    if keeper == 0:
        try:
            os.chdir("/")
            privileges.forbid_capabilities()
            privileges.drop_capabilities()
            leash.put_on()
            privileges.forbid_gains()
            privileges.close_from(0)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            while True:
                signal.pause()
        finally:
            os._exit(1)
    leash.hold()
    return keeper
