"""Text for people: foreign strings made harmless, and numbers with units."""

import time

NS_PER_SECOND = 1_000_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400

_LONGEST = 200
_KILO = 1000
_SHORT = 10
_LATIN_1_END = 0x100
_BASIC_PLANE_END = 0x10000
_PORT_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP", "DCCP", "UDPLite"})


def escape(text: str, longest: int = _LONGEST) -> str:
    r"""Give foreign text as one harmless piece of a line, cut to `longest` characters.

    Control characters and ESC become `\x..`; line separators, bidirectional marks and everything else that has no
    print of its own `\u....`. Backslashes and double spaces are escaped too, so that nobody can forge an escape or
    a column.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable() and "\\" not in text and "  " not in text:
        return text
    return "".join(map(_escape_character, text)).replace("  ", " \\x20")


def _escape_character(character: str) -> str:
    if character.isprintable() and character != "\\":
        return character
    code = ord(character)
    if code < _LATIN_1_END:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < _BASIC_PLANE_END else f"\\U{code:08x}"


def size(count_bytes: int) -> str:
    """Give bytes in decimal units: `48 kB`, `1.2 MB`."""
    if count_bytes < _KILO:
        return f"{count_bytes} B"
    value, unit = count_bytes / _KILO, "kB"
    for larger in ("MB", "GB", "TB", "PB"):
        if round(value) < _KILO:
            break
        value, unit = value / _KILO, larger
    return f"{value:.1f} {unit}" if round(value, 1) < _SHORT else f"{value:.0f} {unit}"


def span(seconds: float) -> str:
    """Give a length of time in its two largest units: `12 s`, `17 min`, `1 h 17 min`, `2 d 3 h`."""
    whole = int(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min"
    large, small, names = (HOUR, MINUTE, ("h", "min")) if whole < DAY else (DAY, HOUR, ("d", "h"))
    rest = whole % large // small
    return f"{whole // large} {names[0]}" + (f" {rest} {names[1]}" if rest else "")


def pace(seconds: float) -> str:
    """Give a length of time in one unit, fine enough for a period or an age: `60 s`, `15 min`, `31 h`, `5 d`."""
    for limit, unit_seconds, unit in ((2 * MINUTE, 1, "s"), (2 * HOUR, MINUTE, "min"), (2 * DAY, HOUR, "h")):
        if seconds < limit:
            return f"{round(seconds / unit_seconds)} {unit}"
    return f"{round(seconds / DAY)} d"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Give a number with its noun: `1 packet`, `12,331 packets`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def endpoint(address: str, port: int | None) -> str:
    """Give an address with its port, IPv6 in brackets (RFC 5952, section 6); without a port the address alone."""
    if port is None:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def has_ports(protocol: str) -> bool:
    """Whether a protocol, by its EVE name, has ports."""
    return protocol in _PORT_PROTOCOLS


def stamp(time_ns: int) -> str:
    """Give a time as local time with milliseconds and offset: `2026-11-22T09:14:03.412+0800`."""
    seconds, rest_ns = divmod(time_ns, NS_PER_SECOND)
    local = time.localtime(seconds)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', local)}.{rest_ns // 1_000_000:03d}{time.strftime('%z', local)}"


def clock(time_ns: int) -> str:
    """Give the local time of day: `10:31:10`."""
    return time.strftime("%H:%M:%S", time.localtime(time_ns // NS_PER_SECOND))


def utc_stamp(time_ns: int) -> str:
    """Give a time in EVE's form, always UTC, with microseconds: `2026-11-22T07:46:05.123456+0000`."""
    seconds, rest_ns = divmod(time_ns, NS_PER_SECOND)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest_ns // 1000:06d}+0000"
