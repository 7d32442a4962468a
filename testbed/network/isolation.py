"""Getting into namespaces of our own, as root or as an ordinary user."""

import ctypes
import errno
import os
import signal

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
_PR_SET_PDEATHSIG = 1
_MS_REC, _MS_PRIVATE = 16384, 1 << 18

# Folders that every system has and no program needs (FHS 3.0 sections 3.12, 3.11 and 3.17).
_SPARE = ("/mnt", "/media", "/srv")

_libc = ctypes.CDLL(None, use_errno=True)


class Forbidden(Exception):
    """This machine does not let us make namespaces; the text says what to do."""


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    _call("unshare", ctypes.c_int(flags))


def setns(descriptor: int) -> None:
    _call("setns", ctypes.c_int(descriptor), ctypes.c_int(CLONE_NEWNET))


def die_with_parent(parent: int) -> None:
    """The kernel kills this process when its parent ends, however that happens."""
    _call("prctl", ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGKILL))
    if os.getppid() != parent:  # it was gone before we asked
        os.kill(os.getpid(), signal.SIGKILL)


def private_folder() -> str:
    """After `enter_isolation`: a folder in memory that only this process and those that it starts
    see, and that ends with them.
    """
    here = os.path.abspath(__file__)
    return next(path for path in _SPARE
                if os.path.isdir(path) and not here.startswith(path + os.sep))


def enter_isolation() -> None:
    """Moves this process (which must have one thread) into namespaces of its own, where it may make
    more. Raises Forbidden with a sentence for people where the machine forbids it.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        try:
            unshare(CLONE_NEWNET | CLONE_NEWNS)
        except OSError as error:
            if error.errno not in (errno.EPERM, errno.EACCES):
                raise
            unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS)
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"0 {user} 1")
            _write("/proc/self/gid_map", f"0 {group} 1")
        _call("mount", b"none", b"/", None, ctypes.c_ulong(_MS_REC | _MS_PRIVATE), None)
        _call("mount", b"none", private_folder().encode(), b"tmpfs", ctypes.c_ulong(0), None)
    except OSError as error:
        raise Forbidden(
            f"This machine forbids network namespaces to this user ({error.strerror}): run as root, "
            "or allow user namespaces (sysctl kernel.unprivileged_userns_clone=1, or "
            "kernel.apparmor_restrict_unprivileged_userns=0 where AppArmor restricts them)."
        ) from error


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
