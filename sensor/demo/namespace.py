"""Linux network namespaces by two system calls. Python before 3.12 has neither in `os`."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def leave_network() -> None:
    """Moves the calling thread into a new, empty network namespace.

    Raises:
        PermissionError: the process lacks CAP_SYS_ADMIN.
        OSError: the kernel refused for another reason, or this is not Linux.
    """
    _call("unshare", _CLONE_NEWNET)


@contextmanager
def entered(namespace: Path) -> Iterator[None]:
    """The calling thread stands in the network `namespace` (such as `/proc/PID/ns/net`) within the `with` block.

    What is opened inside, sockets and threads, stays there.

    Raises:
        OSError: there is no such namespace, or the process lacks CAP_SYS_ADMIN.
    """
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(namespace)
        try:
            yield
        finally:
            _call("setns", own, _CLONE_NEWNET)
    finally:
        os.close(own)


def _enter(namespace: Path) -> None:
    handle = os.open(namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", handle, _CLONE_NEWNET)
    finally:
        os.close(handle)


def _call(name: str, *arguments: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    function = getattr(libc, name, None)
    if function is None:
        raise OSError(f"network namespaces need Linux: the C library has no {name}()")
    if function(*map(ctypes.c_int, arguments)) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}: {os.strerror(error)}")
