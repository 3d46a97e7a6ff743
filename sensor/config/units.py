"""Sizes, durations and rates as people write them: `512MiB`, `1h30m`, `10Gbit/s`."""

# ruff: noqa: TRY004  # pydantic reports a ValueError, a TypeError it lets through

import re

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB

_SIZE_UNITS = {
    "B": 1,
    **{f"{letter}iB": 1024**power for power, letter in enumerate("KMGTP", start=1)},
    **{f"{letter}B": 1000**power for power, letter in enumerate("kMGTP", start=1)},
}
_DURATION_UNITS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_RATE_UNITS = {"kbit/s": 10**3, "Mbit/s": 10**6, "Gbit/s": 10**9, "Tbit/s": 10**12}

_QUANTITY = re.compile(r"(\d{1,19}(?:\.\d{1,9})?)\s?([A-Za-z/]*)")
_DURATION_PART = re.compile(r"(\d{1,18}(?:\.\d{1,9})?)(ms|[wdhms])")

LARGEST_SIZE_BYTES = 2**63 - 1
LONGEST_DURATION_SECONDS = 100 * 365 * 86_400.0


def parse_size(value: object) -> int:
    """Read a size in bytes: `512MiB` (1024-based), `5GB` (1000-based), or a whole number of bytes.

    Raises ValueError with what to write instead.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        size_bytes: int = value
    elif isinstance(value, str):
        size_bytes = _size_from_text(value)
    else:
        raise ValueError("write a size such as 512MiB or 5GB")
    if not 0 <= size_bytes <= LARGEST_SIZE_BYTES:
        raise ValueError("the size must be between 0 and 8191PiB")
    return size_bytes


def _size_from_text(text: str) -> int:
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a size; write one such as 512MiB or 5GB')
    number, unit = match.groups()
    factor = _SIZE_UNITS.get(unit or "B")
    if factor is None:
        raise ValueError(_unknown_size_unit(number, unit))
    return _scaled(number, factor, "a whole number of bytes")


def _unknown_size_unit(number: str, unit: str) -> str:
    letter = unit[0].upper()
    if letter not in "KMGTP" or unit[1:].lower() not in ("", "b", "ib"):
        return f'"{unit}" is no unit of size; use KiB, MiB, GiB, TiB or kB, MB, GB, TB'
    thousand = "k" if letter == "K" else letter
    return f'"{unit}" is ambiguous; write {number}{letter}iB (1024-based) or {number}{thousand}B (1000-based)'


def _scaled(number: str, factor: int, wanted: str) -> int:
    """Multiply without rounding, so that 0.1GB is exact and 0.3B is refused."""
    whole, _, fraction = number.partition(".")
    scale: int = 10 ** len(fraction)
    product = int(whole + fraction) * factor
    if product % scale:
        raise ValueError(f"{number} of this unit is not {wanted}")
    return product // scale


def parse_duration(value: object) -> float:
    """Read a duration in seconds: `90s`, `5m`, `1h30m`, `30d`, `250ms`; 0 needs no unit.

    Raises ValueError with what to write instead.
    """
    if value in (0, "0") and not isinstance(value, bool):
        return 0.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"{value} has no unit; write {value}s for seconds or {value}m for minutes")
    if not isinstance(value, str):
        raise ValueError("write a duration such as 90s, 5m or 1h30m")
    seconds = _duration_from_text(value)
    if seconds > LONGEST_DURATION_SECONDS:
        raise ValueError("the duration must not exceed 100 years")
    return seconds


def _duration_from_text(text: str) -> float:
    milliseconds, position, smallest = 0, 0, LONGEST_DURATION_SECONDS * 1000
    for match in _DURATION_PART.finditer(text):
        factor = _DURATION_UNITS[match[2]]
        if match.start() != position or factor >= smallest:
            break
        milliseconds += _scaled(match[1], factor, "a whole number of milliseconds")
        position, smallest = match.end(), factor
    if not text or position != len(text):
        raise ValueError(f'"{text}" is not a duration; write one such as 250ms, 90s, 5m, 1h30m or 30d')
    return milliseconds / 1000


def parse_rate(value: object) -> int:
    """Read a line rate in bits per second: `1Gbit/s`, `100Mbit/s`.

    Raises ValueError with what to write instead.
    """
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    factor = _RATE_UNITS.get(match[2]) if match else None
    if match is None or factor is None:
        raise ValueError("write a line rate such as 100Mbit/s or 10Gbit/s")
    rate = _scaled(match[1], factor, "a whole number of bits per second")
    if not 0 < rate <= 10**15:
        raise ValueError("the line rate must be between 1kbit/s and 1000Tbit/s")
    return rate


def format_size(size_bytes: int) -> str:
    """Write a size so that `parse_size` gives it back exactly, with the smallest number that is whole."""
    fitting = [(size_bytes // factor, unit) for unit, factor in _SIZE_UNITS.items() if size_bytes % factor == 0]
    return "{}{}".format(*min(fitting)) if size_bytes else "0"


def format_duration(seconds: float) -> str:
    """Write a duration so that `parse_duration` gives it back, in the largest of d, h, m, s and ms that is whole."""
    milliseconds = round(seconds * 1000)
    for unit in ("d", "h", "m", "s", "ms"):
        if milliseconds and milliseconds % _DURATION_UNITS[unit] == 0:
            return f"{milliseconds // _DURATION_UNITS[unit]}{unit}"
    return "0"


def format_rate(bits_per_second: int) -> str:
    """Write a line rate so that `parse_rate` gives it back exactly, in the largest unit that fits."""
    for unit, factor in reversed(_RATE_UNITS.items()):
        if bits_per_second % factor == 0:
            return f"{bits_per_second // factor}{unit}"
    return f"{bits_per_second / 1000:.3f}".rstrip("0") + "kbit/s"
