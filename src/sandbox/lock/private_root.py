"""A root directory that has the named files and directories of the host, read-only, and no others."""

import ctypes
import os
import stat
import struct

import syscalls

_RDONLY, _NOSUID, _NODEV, _NOEXEC = 1, 2, 4, 8
_BIND, _REC, _PRIVATE = 1 << 12, 1 << 14, 1 << 18
_DETACH = 2
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4

# Places for the first mount, which has to stand somewhere; nothing below is hidden by it in the end.
_STANDS = ("/tmp", "/run", "/var", "/usr", "/etc")
_HOST = "/host"
_MOST_LINKS = 40

_libc = ctypes.CDLL(None, use_errno=True)


def enter(paths):
    """Makes a root of `paths`, each at its own place, and moves this process into it. Needs mounts of
    its own, and the right to mount; OSError where it is refused."""
    os.umask(0o022)
    _mount(None, "/", None, _REC | _PRIVATE, None)
    stand = next((path for path in _STANDS if os.path.isdir(path)), "/proc")
    _mount("codemode", stand, "tmpfs", _NOSUID | _NODEV | _NOEXEC, "mode=755,size=1m")
    os.chdir(stand)
    os.mkdir(_HOST[1:])
    _call("pivot_root", b".", _HOST[1:].encode())
    os.chdir("/")
    for path in sorted(set(paths)):
        _plant(path)
    _call("umount2", _HOST.encode(), _DETACH)
    os.rmdir(_HOST)
    _make_read_only()


def _plant(path):
    """Binds what is at `path` on the host, with the symbolic links on the way to it."""
    pending = [part for part in path.split("/") if part]
    here = ""
    links = 0
    while pending:
        part = pending.pop(0)
        if part == "..":
            here = os.path.dirname(here)
            continue
        if part == ".":
            continue
        there = here + "/" + part
        kind = os.lstat(_HOST + there).st_mode
        if stat.S_ISLNK(kind):
            links += 1
            if links > _MOST_LINKS:
                raise OSError(40, "too many symbolic links at " + path)
            target = os.readlink(_HOST + there)
            if not os.path.islink(there) and not os.path.exists(there):
                os.symlink(target, there)
            if target.startswith("/"):
                here = ""
            pending = [one for one in target.split("/") if one] + pending
            continue
        here = there
        if pending:
            if not os.path.isdir(here):
                os.mkdir(here, 0o755)
        elif not _is_planted(here):
            _bind(here, kind)


def _is_planted(path):
    """Whether it has come with a directory above it."""
    try:
        found, wanted = os.lstat(path), os.lstat(_HOST + path)
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)


def _bind(path, kind):
    if stat.S_ISDIR(kind):
        os.makedirs(path, 0o755, exist_ok=True)
    elif not os.path.exists(path):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o444))
    _mount(_HOST + path, path, None, _BIND | _REC, None)


def _make_read_only():
    attributes = ctypes.create_string_buffer(
        struct.pack("=QQQQ", _ATTR_RDONLY | _ATTR_NOSUID | _ATTR_NODEV, 0, 0, 0), 32
    )
    _call("mount_setattr", _AT_FDCWD, b"/", _AT_RECURSIVE, attributes, ctypes.c_size_t(32))


def _mount(source, target, kind, flags, options):
    texts = [text and text.encode() for text in (source, target, kind, options)]
    _call("mount", texts[0], texts[1], texts[2], ctypes.c_ulong(flags), texts[3])


def _call(name, *arguments):
    if _libc.syscall(syscalls.number(name), *arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (name, os.strerror(code)))
