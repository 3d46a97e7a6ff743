"""Who made a network card, by the first three bytes of its MAC."""

import threading
from collections.abc import Callable
from functools import lru_cache

from sensor.identity.addresses import is_private
from sensor.identity.names import clean_text

PRIVATE = "private address"
"""What is said of a MAC that the machine has made up itself; no vendor can be known."""

_lock = threading.Lock()


@lru_cache(maxsize=4096)
def vendor_of(mac: str) -> str | None:
    """Give the vendor, `PRIVATE`, or None where none is known."""
    if is_private(mac):
        return PRIVATE
    found = _registry()(mac)
    return clean_text(found) if found else None


def warm_up() -> None:
    """Read IEEE's list, before anybody asks."""
    _registry()


def _registry() -> Callable[[str], str | None]:
    """Give the look-up in IEEE's list; one that knows nothing where the package is missing."""
    try:
        # Late: a short capture names nobody, and starts faster.
        import asyncio  # noqa: PLC0415

        import aiooui  # noqa: PLC0415
    except ImportError:
        return lambda _: None
    with _lock:
        if not aiooui.is_loaded():
            asyncio.run(aiooui.async_load())
    return aiooui.get_vendor
