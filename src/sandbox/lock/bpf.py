"""Assembles and installs seccomp filters: lists of the system calls that a process may make.

Everything that no rule names gets the filter's default; a call by a foreign architecture kills the
process.
"""

import ctypes
import os
import struct

import syscalls

ALLOW = 0x7FFF0000
ERRNO = 0x00050000
NOTIFY = 0x7FC00000
_KILL_PROCESS = 0x80000000

_SET_MODE_FILTER = 1
_GET_ACTION_AVAIL = 2
FLAG_NEW_LISTENER = 1 << 3

_LD, _JEQ, _JGE, _AND, _RET = 0x20, 0x15, 0x35, 0x54, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
_X32_BIT = 0x40000000

# Masks for `equals`: all 64 bits of an argument, or the half that an int is.
ALL, INT = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF

_libc = ctypes.CDLL(None, use_errno=True)
_SECCOMP = syscalls.number("seccomp")


def _instruction(code, jump_true, jump_false, value):
    return struct.pack("=HBBI", code, jump_true, jump_false, value & 0xFFFFFFFF)


def equals(index, value, mask=ALL):
    """Condition: argument `index`, masked, equals `value` in all 64 bits."""
    return (index, mask, value)


def _rule(number, conditions, action):
    """Instructions for one system call, entered and left with the number in the accumulator."""
    body = []
    for index, mask, value in conditions:
        # little-endian on both architectures: the low half comes first
        for half in (0, 32):
            part = (mask >> half) & 0xFFFFFFFF
            if part == 0:
                continue
            body.append((_LD, 0, 0, _OFFSET_ARGS + 8 * index + half // 8))
            if part != 0xFFFFFFFF:
                body.append((_AND, 0, 0, part))
            body.append((_JEQ, 0, None, (value >> half) & 0xFFFFFFFF))
    body.append((_RET, 0, 0, action))
    if conditions:
        body.append((_LD, 0, 0, _OFFSET_NR))
    lines = [(_JEQ, 0, len(body), number)] + body
    reload_at = len(lines) - 1
    return b"".join(
        _instruction(code, true, reload_at - at - 1 if false is None else false, value)
        for at, (code, true, false, value) in enumerate(lines)
    )


def assemble(rules, default):
    """A filter: foreign architectures are killed, rules are tried in order, then the default."""
    arch = syscalls.architecture()
    code = [
        _instruction(_LD, 0, 0, _OFFSET_ARCH),
        _instruction(_JEQ, 1, 0, syscalls.AUDIT_ARCH[arch]),
        _instruction(_RET, 0, 0, _KILL_PROCESS),
        _instruction(_LD, 0, 0, _OFFSET_NR),
    ]
    if arch == syscalls.X86_64:
        code += [_instruction(_JGE, 0, 1, _X32_BIT), _instruction(_RET, 0, 0, _KILL_PROCESS)]
    for name, conditions, action in rules:
        number = syscalls.number(name, arch)
        if number >= 0:
            code.append(_rule(number, conditions, action))
    code.append(_instruction(_RET, 0, 0, default))
    return b"".join(code)


class Filter:
    """An assembled filter, in memory as the kernel wants it."""

    def __init__(self, program):
        self._code = ctypes.create_string_buffer(program, len(program))
        self._header = ctypes.create_string_buffer(
            struct.pack("@HP", len(program) // 8, ctypes.addressof(self._code))
        )

    def replace(self, offset, value):
        struct.pack_into("=I", self._code, offset, value)

    def install(self, flags):
        result = _libc.syscall(_SECCOMP, _SET_MODE_FILTER, flags, self._header)
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, "seccomp: " + os.strerror(code))
        return result


def supported():
    """None where seccomp filters can be had, otherwise the errno."""
    action = ctypes.c_uint32(ERRNO)
    if _libc.syscall(_SECCOMP, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0:
        return None
    return ctypes.get_errno()
