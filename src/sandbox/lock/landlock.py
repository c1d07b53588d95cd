"""The file wall: a Landlock ruleset that lets a process read the named files and no others.

Constants: include/uapi/linux/landlock.h.
"""

import ctypes
import os
import struct

import syscalls

_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1

EXECUTE = 1 << 0
READ_FILE = 1 << 2
READ_DIR = 1 << 3

# Rights that each ABI version knows; all are handled, so all are denied unless granted.
_FS_RIGHTS = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_RIGHTS = 3  # bind and connect, from ABI 4
_SCOPES = 3  # abstract sockets and signals, from ABI 6

_libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *arguments):
    result = _libc.syscall(syscalls.number(name), *arguments)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, name + ": " + os.strerror(code))
    return result


def abi():
    """Version of the kernel's Landlock; OSError where there is none."""
    return _call("landlock_create_ruleset", None, ctypes.c_size_t(0), _CREATE_RULESET_VERSION)


def create_ruleset(paths, programs=()):
    """A ruleset descriptor under which only `paths` can be read; directories with all below them.
    `programs` can be executed, too."""
    version = abi()
    attributes = struct.pack("=Q", _FS_RIGHTS[min(version, 5)])
    if version >= 4:
        attributes += struct.pack("=Q", _NET_RIGHTS)
    if version >= 6:
        attributes += struct.pack("=Q", _SCOPES)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = _call("landlock_create_ruleset", buffer, ctypes.c_size_t(len(attributes)), 0)
    for path in paths:
        _allow(ruleset, path, READ_FILE)
    for path in programs:
        _allow(ruleset, path, READ_FILE | EXECUTE)
    return ruleset


def _allow(ruleset, path, rights):
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if os.path.isdir(path):
            rights |= READ_DIR
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor), 12)
        _call("landlock_add_rule", ruleset, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)


def enter(ruleset):
    """Puts the wall around this process for good. Needs no_new_privs."""
    _call("landlock_restrict_self", ruleset, 0)
