"""The allow-list of system calls, as two seccomp filters.

The first is put on before the limits of a run are known; the second, after they are set, takes
away what setting them needed. Everything that is not allowed fails with EPERM; a call by a foreign
architecture kills the process.
"""

import ctypes
import errno
import os
import socket
import struct

import syscalls

_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_NOTIFY = 0x7FC00000
_KILL_PROCESS = 0x80000000

_SET_MODE_FILTER = 1
_GET_ACTION_AVAIL = 2
_FLAG_NEW_LISTENER = 1 << 3

_LD, _JEQ, _JGE, _AND, _RET = 0x20, 0x15, 0x35, 0x54, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
_X32_BIT = 0x40000000

# The flags of pthread_create: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID,
# CHILD_CLEARTID; musl adds CLONE_DETACHED. Exactly these: without CLONE_FILES a thread would have a
# descriptor table of its own, which no limit counts.
_PTHREAD, _CLONE_DETACHED = 0x003D0F00, 0x00400000
_ALL, _INT = 0xFFFFFFFFFFFFFFFF, 0xFFFFFFFF

_FREE = (
    "read readv pread64 write writev close lseek stat lstat fstat newfstatat statx "
    "access faccessat faccessat2 getdents64 readlink readlinkat getcwd dup dup2 dup3 pipe pipe2 "
    "poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
    "mprotect munmap mremap madvise brk "
    "set_robust_list rseq set_tid_address gettid sched_yield exit exit_group "
    "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigtimedwait rt_sigsuspend rt_sigpending "
    "sigaltstack restart_syscall pause alarm setitimer getitimer "
    "nanosleep gettimeofday time times getrusage getrandom "
    "getpid getppid getuid geteuid getgid getegid getgroups getresuid getresgid uname getcpu "
    "getsockname shutdown recvfrom recvmsg"
).split()

# O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_PATH, __O_TMPFILE (the same on both architectures). Landlock
# refuses them too, but only from ABI 3 on does it refuse truncation.
_WRITING = 0x0000_0003 | 0x40 | 0x200 | 0x20_0000 | 0x40_0000
# MAP_SHARED with MAP_ANONYMOUS: memory that stays when all but a page of it has been unmapped, so
# that a limit of address space does not bound it.
_SHARED_MEMORY = 0x21
# SO_TYPE, SO_ERROR, SO_PROTOCOL, SO_DOMAIN. Others tell who is at the other end.
_SOCKET_OPTIONS = (3, 4, 38, 39)
_MSG_OOB = 1
# FUTEX_WAIT and FUTEX_WAIT_BITSET; FUTEX_WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP and WAKE_BITSET.
_FUTEX_WAITS, _FUTEX_WAKES = (0, 9), (1, 3, 4, 5, 10)
_FUTEX_PRIVATE, _FUTEX_REALTIME = 128, 256

# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what opening and non-blocking need.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Locks are left out: they are seen
# by other guests that have the same file open.
_FCNTLS = (0, 1, 2, 3, 4, 1030)

# Stands in an assembled filter where the guest's process id belongs.
_PID_MARK = 0x5AFEC0DE

_libc = ctypes.CDLL(None, use_errno=True)
_SECCOMP = syscalls.number("seccomp")


def _instruction(code, jump_true, jump_false, value):
    return struct.pack("=HBBI", code, jump_true, jump_false, value & 0xFFFFFFFF)


def _equals(index, value, mask=_ALL):
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


def _program(rules, default):
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


def _first_rules(pid, thread_action):
    rules = [(name, (), _ALLOW) for name in _FREE]
    rules += [("ioctl", (_equals(1, command, _INT),), _ALLOW) for command in _IOCTLS]
    rules += [("fcntl", (_equals(1, command, _INT),), _ALLOW) for command in _FCNTLS]
    # Only stream pairs, and no address on a send: a datagram socket could reach a service's socket file.
    stream = _equals(1, socket.SOCK_STREAM, _INT & ~(socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK))
    rules.append(("socketpair", (_equals(0, socket.AF_UNIX, _INT), stream), _ALLOW))
    rules.append(("sendto", (_equals(4, 0), _equals(3, 0, _MSG_OOB)), _ALLOW))
    rules += [("getsockopt", (_equals(2, option, _INT),), _ALLOW) for option in _SOCKET_OPTIONS]
    rules.append(("open", (_equals(1, 0, _WRITING),), _ALLOW))
    rules.append(("openat", (_equals(2, 0, _WRITING),), _ALLOW))
    rules.append(("mmap", (_equals(3, _SHARED_MEMORY, _SHARED_MEMORY),), _ERRNO | errno.EPERM))
    rules.append(("mmap", (), _ALLOW))
    # A wake without the private flag reaches whoever waits on the same page of a file, in any process.
    either = _INT & ~(_FUTEX_PRIVATE | _FUTEX_REALTIME)
    rules += [("futex", (_equals(1, wait, either),), _ALLOW) for wait in _FUTEX_WAITS]
    rules += [
        ("futex", (_equals(1, wake | _FUTEX_PRIVATE, _INT & ~_FUTEX_REALTIME),), _ALLOW)
        for wake in _FUTEX_WAKES
    ]
    # Only the clocks that have a name: a negative one is the CPU clock of some other process.
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        rules.append((name, (_equals(0, 0, 0xFFFFFFF0),), _ALLOW))
    rules.append(("sched_getaffinity", (_equals(0, 0, _INT),), _ALLOW))
    rules.append(("tgkill", (_equals(0, pid, _INT),), _ALLOW))
    rules.append(("clone", (_equals(0, _PTHREAD, _ALL & ~_CLONE_DETACHED),), thread_action))
    # glibc tries clone3 first and falls back to clone, whose flags a filter can read.
    rules.append(("clone3", (), _ERRNO | errno.ENOSYS))
    # What the second stage needs, and it takes away.
    rules += [(name, (), _ALLOW) for name in ("prlimit64", "seccomp", "sendmsg")]
    return rules


def _second_rules():
    reading = (_equals(0, 0, _INT), _equals(2, 0))
    return [
        ("prlimit64", reading, _ALLOW),
        ("prlimit64", (), _ERRNO | errno.EPERM),
        ("seccomp", (), _ERRNO | errno.EPERM),
        ("sendmsg", (), _ERRNO | errno.EPERM),
    ]


class _Filter:
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
    action = ctypes.c_uint32(_ERRNO)
    if _libc.syscall(_SECCOMP, _GET_ACTION_AVAIL, 0, ctypes.byref(action)) == 0:
        return None
    return ctypes.get_errno()


class Filters:
    """All filters, assembled once, so that a child only puts its process id in."""

    def __init__(self):
        denied = _ERRNO | errno.EPERM
        self._asking = _program(_first_rules(_PID_MARK, _NOTIFY), denied)
        self._single = _program(_first_rules(_PID_MARK, _ERRNO | errno.EAGAIN), denied)
        mark = struct.pack("=I", _PID_MARK)
        self._pid_offset = self._asking.index(mark)
        self._asking = _Filter(self._asking)
        self._single = _Filter(self._single)
        self._second = _Filter(_program(_second_rules(), _ALLOW))

    def enter_first(self):
        """Puts on the allow-list; gives the descriptor that thread starts are asked at, or None.

        Where the kernel gives no listener (another supervisor holds it), threads are refused.
        """
        pid = os.getpid()
        try:
            self._asking.replace(self._pid_offset, pid)
            return self._asking.install(_FLAG_NEW_LISTENER)
        except OSError:
            self._single.replace(self._pid_offset, pid)
            self._single.install(0)
            return None

    def enter_second(self):
        """Takes away what setting the limits needed."""
        self._second.install(0)
