"""How the C library's allocator gives memory back."""

import ctypes

_M_MMAP_THRESHOLD = -3
_LARGE_BYTES = 1024 * 1024


def return_large_blocks() -> bool:
    """Have a block of a mebibyte or more go back to the system when it is freed; False where that cannot be had.

    After the first such block is freed, glibc takes the next ones from its heap (mallopt(3), M_MMAP_THRESHOLD), where
    a list of millions leaves holes at each reload that nothing else fills.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES))
