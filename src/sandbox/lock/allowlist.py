"""What every locked process may do, whichever program it is: the shared part of the allow-lists."""

import errno

from bpf import ALL, ALLOW, ERRNO, INT, equals

# The flags of pthread_create: CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS, PARENT_SETTID,
# CHILD_CLEARTID; musl adds CLONE_DETACHED. Exactly these: without CLONE_FILES a thread would have a
# descriptor table of its own, which no limit counts.
_PTHREAD, _CLONE_DETACHED = 0x003D0F00, 0x00400000

_FREE = (
    "read readv pread64 write writev close lseek stat lstat fstat newfstatat statx "
    "access faccessat faccessat2 getdents64 readlink readlinkat getcwd dup dup2 dup3 pipe pipe2 "
    "poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 "
    "mprotect munmap mremap brk "
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
_MSG_OOB = 1
# Pages that are merged with equal ones of other processes: the time of a write tells that they were.
_MADV_MERGEABLE = 12
# FUTEX_WAIT and FUTEX_WAIT_BITSET; FUTEX_WAKE, REQUEUE, CMP_REQUEUE, WAKE_OP and WAKE_BITSET.
_FUTEX_WAITS, _FUTEX_WAKES = (0, 9), (1, 3, 4, 5, 10)
_FUTEX_PRIVATE, _FUTEX_REALTIME = 128, 256

# TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX: what opening and non-blocking need.
_IOCTLS = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)
# F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Locks are left out: they are seen
# by other guests that have the same file open.
_FCNTLS = (0, 1, 2, 3, 4, 1030)
# SO_TYPE, SO_ERROR, SO_PROTOCOL, SO_DOMAIN. Others tell who is at the other end.
_SOCKET_OPTIONS = (3, 4, 38, 39)


def rules(pid, thread_action):
    """Rules of the process `pid`, with what happens when it starts a thread: reading, computing,
    waiting and talking over what is open. Memory, limits and all else are the caller's to add."""
    found = [(name, (), ALLOW) for name in _FREE]
    found += [("ioctl", (equals(1, command, INT),), ALLOW) for command in _IOCTLS]
    found += [("fcntl", (equals(1, command, INT),), ALLOW) for command in _FCNTLS]
    found.append(("madvise", (equals(2, _MADV_MERGEABLE, INT),), ERRNO | errno.EPERM))
    found.append(("madvise", (), ALLOW))
    # No address on a send: a datagram socket could reach a service's socket file.
    found.append(("sendto", (equals(4, 0), equals(3, 0, _MSG_OOB)), ALLOW))
    found += [("getsockopt", (equals(2, option, INT),), ALLOW) for option in _SOCKET_OPTIONS]
    found.append(("open", (equals(1, 0, _WRITING),), ALLOW))
    found.append(("openat", (equals(2, 0, _WRITING),), ALLOW))
    # A wake without the private flag reaches whoever waits on the same page of a file, in any process.
    either = INT & ~(_FUTEX_PRIVATE | _FUTEX_REALTIME)
    found += [("futex", (equals(1, wait, either),), ALLOW) for wait in _FUTEX_WAITS]
    found += [
        ("futex", (equals(1, wake | _FUTEX_PRIVATE, INT & ~_FUTEX_REALTIME),), ALLOW)
        for wake in _FUTEX_WAKES
    ]
    # Only the clocks that have a name: a negative one is the CPU clock of some other process.
    for name in ("clock_gettime", "clock_getres", "clock_nanosleep"):
        found.append((name, (equals(0, 0, 0xFFFFFFF0),), ALLOW))
    found.append(("tgkill", (equals(0, pid, INT),), ALLOW))
    found.append(("clone", (equals(0, _PTHREAD, ALL & ~_CLONE_DETACHED),), thread_action))
    # glibc tries clone3 first and falls back to clone, whose flags a filter can read.
    found.append(("clone3", (), ERRNO | errno.ENOSYS))
    return found
