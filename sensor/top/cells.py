"""What stands in a cell. Everything that comes from the wire is escaped: a name must not steer the terminal."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sensor.alerts.text import DAY, HOUR, MINUTE, escape, size
from sensor.alerts.text import endpoint as endpoint_of

Row = Mapping[str, Any]

_HUNDRED = 100
_KILO = 1000
_LONGEST_CELL = 120


def plain(column: str) -> Callable[[Row], str]:
    """Give the text of a column; nothing where it is empty or not there."""
    return lambda row: foreign(row.get(column))


def foreign(value: object) -> str:
    """Give a value from outside as harmless text of one line."""
    return "" if value is None else escape(str(value), _LONGEST_CELL)


def count(column: str) -> Callable[[Row], str]:
    """Give a number with commas; a dash where it is not known."""
    return lambda row: "-" if row.get(column) is None else f"{row[column]:,.0f}"


def total(*columns: str) -> Callable[[Row], int]:
    """Give the sum of columns."""
    return lambda row: sum(row[column] or 0 for column in columns)


def size_of(*columns: str) -> Callable[[Row], str]:
    """Give a sum of columns as bytes with a unit."""
    add = total(*columns)
    return lambda row: size(add(row))


def kilobytes(*columns: str) -> Callable[[Row], str]:
    """Give a sum of columns in kB, with as many places as help: the rates of a screen have one unit."""
    add = total(*columns)
    return lambda row: kilo(add(row))


def kilo(bytes_per_second: float) -> str:
    """Give a rate in kB/s without its unit."""
    value = bytes_per_second / _KILO
    return f"{value:.1f}" if value < _HUNDRED else f"{value:,.0f}"


def age(seconds: float) -> str:
    """Give an age in four places: `59s`, `12m`, `31h`, `5d`."""
    whole = max(0, int(seconds))
    for limit, unit_seconds, unit in ((2 * MINUTE, 1, "s"), (2 * HOUR, MINUTE, "m"), (2 * DAY, HOUR, "h")):
        if whole < limit:
            return f"{whole // unit_seconds}{unit}"
    return f"{whole // DAY}d"


def tags(vlan: Sequence[int]) -> str:
    """Give VLAN tags, outermost first."""
    return ".".join(map(str, vlan))


def local_end(row: Row) -> str:
    """Give the internal end of a connection, with its port."""
    return _end(row, row["local"])


def remote_end(row: Row) -> str:
    """Give the other end of a connection, with its port."""
    return _end(row, other_side(row["local"]))


def other_side(side: str) -> str:
    """Give `resp` for `orig`, and the other way round."""
    return "resp" if side == "orig" else "orig"


def _end(row: Row, side: str) -> str:
    return foreign(endpoint_of(row[f"{side}_ip"], row[f"{side}_port"] or None))
