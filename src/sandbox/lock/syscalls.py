"""Numbers of the system calls that the lock knows, for x86-64 and arm64.

Sources: arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h of Linux.
A number of -1 says that the architecture has no such call.
"""

import os

X86_64 = "x86_64"
AARCH64 = "aarch64"

# AUDIT_ARCH_* of linux/audit.h, as seccomp reports them.
AUDIT_ARCH = {X86_64: 0xC000003E, AARCH64: 0xC00000B7}

_COLUMN = {X86_64: 0, AARCH64: 1}

_TABLE = {
    # used by the lock itself
    "capset": (126, 91), "close_range": (436, 436), "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445), "landlock_restrict_self": (446, 446), "seccomp": (317, 277),
    "unshare": (272, 97), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "mount_setattr": (442, 442),
    # what Node needs beside what guests need
    "execve": (59, 221), "arch_prctl": (158, -1), "eventfd2": (290, 19), "capget": (125, 90),
    "prctl": (157, 167), "sysinfo": (99, 179), "sched_getscheduler": (145, 120),
    "sched_getparam": (143, 121), "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126), "membarrier": (324, 283), "getrlimit": (97, 163),
    # files: reading only; what can be opened is for Landlock to say
    "read": (0, 63), "readv": (19, 65), "pread64": (17, 67), "write": (1, 64), "writev": (20, 66),
    "open": (2, -1), "openat": (257, 56), "close": (3, 57), "lseek": (8, 62),
    "stat": (4, -1), "lstat": (6, -1), "fstat": (5, 80), "newfstatat": (262, 79), "statx": (332, 291),
    "access": (21, -1), "faccessat": (269, 48), "faccessat2": (439, 439),
    "getdents64": (217, 61), "readlink": (89, -1), "readlinkat": (267, 78), "getcwd": (79, 17),
    "dup": (32, 23), "dup2": (33, -1), "dup3": (292, 24), "pipe": (22, -1), "pipe2": (293, 59),
    "fcntl": (72, 25), "ioctl": (16, 29),
    # waiting
    "poll": (7, -1), "ppoll": (271, 73), "select": (23, -1), "pselect6": (270, 72),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, -1),
    "epoll_pwait": (281, 22), "epoll_pwait2": (441, 441),
    # memory
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216),
    "madvise": (28, 233), "brk": (12, 214),
    # threads of this process
    "clone": (56, 220), "clone3": (435, 435), "futex": (202, 98), "set_robust_list": (273, 99),
    "rseq": (334, 293), "set_tid_address": (218, 96), "gettid": (186, 178), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "exit": (60, 93), "exit_group": (231, 94),
    # signals to this process
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133), "rt_sigpending": (127, 136),
    "sigaltstack": (131, 132), "tgkill": (234, 131), "restart_syscall": (219, 128),
    "pause": (34, -1), "alarm": (37, -1), "setitimer": (38, 103), "getitimer": (36, 102),
    # time and randomness
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "clock_gettime": (228, 113),
    "clock_getres": (229, 114), "gettimeofday": (96, 169), "time": (201, -1), "times": (100, 153),
    "getrusage": (98, 165), "getrandom": (318, 278),
    # who am I
    "getpid": (39, 172), "getppid": (110, 173), "getuid": (102, 174), "geteuid": (107, 175),
    "getgid": (104, 176), "getegid": (108, 177), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "uname": (63, 160), "prlimit64": (302, 261), "getcpu": (309, 168),
    # the socket pair of an event loop
    "socketpair": (53, 199), "getsockname": (51, 204),
    "getsockopt": (55, 209), "shutdown": (48, 210), "sendto": (44, 206), "recvfrom": (45, 207),
    "sendmsg": (46, 211), "recvmsg": (47, 212),
}


def architecture():
    """Name of this machine's architecture; OSError where the lock does not know it."""
    machine = os.uname().machine
    name = {"x86_64": X86_64, "amd64": X86_64, "aarch64": AARCH64, "arm64": AARCH64}.get(machine)
    if name is None:
        raise OSError(38, "the lock does not know the system calls of " + machine)
    return name


def number(name, arch=None):
    """Number of a system call on an architecture; -1 where it has none."""
    return _TABLE[name][_COLUMN[arch or architecture()]]
