"""Puts a directory in the place of another in one step: whoever looks finds the old one or the new one, whole."""

import ctypes
import os
import shutil
from collections.abc import Callable, Container
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import cast

from sensor.history.tree import make_directory
from sensor.whole_file import sync

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


def put_in_place(made: Path, place: Path, replaced: Container[str]) -> None:
    """Let `made` be at `place`, with those files of `place` that are not among the names `replaced`; the rest goes.

    All are files of one file system. Raises OSError: nothing has changed, or something of the old is left at `made`.
    """
    make_directory(place)
    for entry in list(place.iterdir()):
        if entry.name not in replaced:
            os.link(entry, made / entry.name, follow_symlinks=False)
    sync(made)
    _exchange(made, place)
    sync(place.parent)
    sync(made.parent)
    shutil.rmtree(made)


def can_exchange(work: Path) -> bool:
    """Try in a directory whether its file system can do it."""
    one, other = work / "exchange-1", work / "exchange-2"
    try:
        make_directory(one)
        make_directory(other)
        _exchange(one, other)
    except OSError:
        return False
    finally:
        for directory in (one, other):
            with suppress(OSError):
                directory.rmdir()
    return True


def _exchange(one: Path, other: Path) -> None:
    """renameat2(2) with RENAME_EXCHANGE, which Python has no name for."""
    result = _renameat2()(_AT_FDCWD, bytes(one), _AT_FDCWD, bytes(other), _RENAME_EXCHANGE)
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"cannot exchange: {os.strerror(number)}", str(one), None, str(other))


@cache
def _renameat2() -> Callable[..., int]:
    function = ctypes.CDLL(None, use_errno=True).renameat2
    function.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    return cast("Callable[..., int]", function)
