"""Namespaces of its own for this process: users where they are needed, mounts, processes, network,
kernel objects, host name, control groups."""

import ctypes
import os

import syscalls

_NEWNS, _NEWUTS, _NEWIPC = 0x00020000, 0x04000000, 0x08000000
_NEWUSER, _NEWPID, _NEWNET = 0x10000000, 0x20000000, 0x40000000
_ALL = _NEWNS | _NEWUTS | _NEWIPC | _NEWPID | _NEWNET

_libc = ctypes.CDLL(None, use_errno=True)


def enter():
    """Leaves every namespace of the host but that of processes, which only children that are forked
    from now on leave; the first of them holds it for all. Needs a single thread; OSError where it
    is refused."""
    try:
        _enter_users()
        _unshare(_ALL)
    except OSError:
        if os.geteuid() != 0:
            raise
        _unshare(_ALL)  # a host without user namespaces, for a service that may do without
    # The host's name is nobody's business; without the right to set it, it stays.
    _libc.sethostname(b"localhost", 9)


def _unshare(flags):
    if _libc.syscall(syscalls.number("unshare"), ctypes.c_ulong(flags)) != 0:
        code = ctypes.get_errno()
        raise OSError(code, "unshare: " + os.strerror(code))


def _enter_users():
    """A user namespace in which every id stands for itself: all of them for root, else one's own."""
    user, group = os.geteuid(), os.getegid()
    if user == 0:
        _enter_with_all_users()
        return
    _unshare(_NEWUSER)
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", "%d %d 1\n" % (user, user))
    _write("/proc/self/gid_map", "%d %d 1\n" % (group, group))


def _enter_with_all_users():
    """Only a process outside may map more than one's own id, and only with the right to; without it
    root may not even map that."""
    maps = [(name, _identity(name)) for name in ("uid_map", "gid_map")]
    told, tell = os.pipe()
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(tell)
            if os.read(told, 1):
                for name, text in maps:
                    _write("/proc/%d/%s" % (parent, name), text)
                status = 0
        finally:
            os._exit(status)
    os.close(told)
    try:
        _unshare(_NEWUSER)
        os.write(tell, b"1")
    finally:
        os.close(tell)
        status = os.waitpid(child, 0)[1]
    if status != 0:
        raise OSError(1, "uid_map: Operation not permitted")


def _identity(name):
    """All ids that there are here, each as itself."""
    with open("/proc/self/" + name) as file:
        extents = [line.split() for line in file]
    return "".join("%s %s %s\n" % (inside, inside, count) for inside, _outside, count in extents)


def _write(path, text):
    try:
        file = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
    except OSError as error:
        raise OSError(error.errno, "%s: %s" % (os.path.basename(path), os.strerror(error.errno))) from None
