# Runs as the program of a guest that has its namespaces and none of the lock's layers: tries to reach
# what is outside of them, and says what came back. "done" means that this wall alone has a hole.
import ctypes
import errno
import os
import socket

_libc = ctypes.CDLL(None, use_errno=True)
_canary = config["canary"]
_outside = os.path.dirname(_canary)


def _refuse(code):
    raise OSError(code, os.strerror(code))


def _connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as peer:
        peer.settimeout(1)
        peer.connect(address)


def _send():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.sendto(b"probe", ("127.0.0.1", config["udpPort"]))


def _see_interfaces():
    if [name for _index, name in socket.if_nameindex()] == ["lo"]:
        _refuse(errno.ENOENT)


def _is_root_of_host(path):
    found = os.stat(path)
    if [str(found.st_dev), str(found.st_ino)] != list(config["root"]):
        _refuse(errno.ENOENT)


def _write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))


def _write_root():
    _write("/codemode-probe")
    os.unlink("/codemode-probe")


def _write_library():
    with open(os.__file__, "r+b"):
        pass


def _find_memory():
    """A System V segment of the host, by its key."""
    if _libc.shmget(config["memory"], 1, 0) < 0:
        _refuse(ctypes.get_errno())


def _signal():
    os.kill(config["service"], 23)  # SIGURG; the host says whether it came


def _be_known():
    """A process of the host's namespace has the number that the host knows it by."""
    if os.getpid() != config["self"]:
        _refuse(errno.ESRCH)


_ATTEMPTS = {
    "stat a file of the host": lambda: os.stat(_canary),
    "read a file of the host": lambda: open(_canary).read(),
    "list a directory of the host": lambda: os.listdir(_outside),
    "write to a file of the host": lambda: _write(_canary),
    "remove a file of the host": lambda: os.unlink(_canary),
    "share the root of the host": lambda: _is_root_of_host("/"),
    "leave by its working directory": lambda: _is_root_of_host("../../../../.."),
    "write to its own root": _write_root,
    "write to a file that may be read": _write_library,
    "stat a process of the host": lambda: os.stat("/proc/%d" % config["service"]),
    "list the processes of the host": lambda: os.listdir("/proc"),
    "have a process number of the host": _be_known,
    "signal the service": _signal,
    "connect to a TCP port": lambda: _connect(socket.AF_INET, ("127.0.0.1", config["port"])),
    "connect to a unix socket": lambda: _connect(socket.AF_UNIX, config["unix"]),
    "connect to an abstract unix socket": lambda: _connect(socket.AF_UNIX, "\0" + config["abstract"]),
    "send a UDP datagram": _send,
    "see a network interface": _see_interfaces,
    "find shared memory of the host (shmget)": _find_memory,
}


def _try(attempt):
    try:
        attempt()
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "done"


result = {"namespaces": {name: _try(attempt) for name, attempt in _ATTEMPTS.items()}}
