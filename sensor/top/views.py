"""The tables of the screen: which columns, from what, in which order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sensor.alerts.text import NS_PER_SECOND, counted
from sensor.top.cells import (
    Row,
    age,
    count,
    foreign,
    kilo,
    kilobytes,
    local_end,
    plain,
    remote_end,
    size_of,
    tags,
    total,
)

Sample = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: `key` sorts it, `order` is the daemon's word for that.

    A number's largest comes first, and it stands on the right, unless a word stands for it (`is_word`).
    A `flexible` column takes the room that the others leave; a `squeezable` one is cut in its middle where even that
    is not enough. A `spare` one is left out first of all where there is no room.
    """

    title: str
    text: Callable[[Row], str]
    key: Callable[[Row], Any]
    number: bool = False
    is_word: bool = False
    order: str = ""
    flexible: bool = False
    squeezable: bool = False
    spare: bool = False


@dataclass(frozen=True, slots=True)
class View:
    """One table. `identity` tells a row from others, `address` whose page it opens, `style` how it is printed.

    `question` is the daemon's table that can be asked for more than a sample shows, `sorted_by` the first column that
    sorts.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Callable[[Sample], Sequence[Row]]
    identity: Callable[[Row], str]
    address: Callable[[Row], str | None]
    sorted_by: int
    question: str = ""
    style: Callable[[Row], str] = lambda _: ""


def _text(title: str, text: Callable[[Row], str]) -> Column:
    return Column(title, text, text)


def _number(title: str, text: Callable[[Row], str], key: Callable[[Row], Any], order: str = "") -> Column:
    return Column(title, text, key, number=True, order=order)


def _count(title: str, column: str, order: str = "") -> Column:
    return _number(title, count(column), total(column), order)


def _kilobytes(title: str, *columns: str, order: str = "") -> Column:
    return _number(title, kilobytes(*columns), total(*columns), order)


def _spare(column: Column) -> Column:
    return replace(column, spare=True)


def _size(title: str, *columns: str, order: str = "") -> Column:
    return _number(title, size_of(*columns), total(*columns), order)


def _age(title: str, column: str, order: str) -> Column:
    """Make a column that shows how long a time is past; rows carry `now_ns`, see `at`."""
    return _number(title, lambda row: age((row["now_ns"] - row[column]) / NS_PER_SECOND), plain_key(column), order)


def plain_key(column: str) -> Callable[[Row], Any]:
    """Give a column's value as it is."""
    return lambda row: row[column]


def at(now_ns: int, rows: Sequence[Row]) -> list[Row]:
    """Give rows the packet time at which they are shown."""
    return [{**row, "now_ns": now_ns} for row in rows]


def _ip_sorts(column: str) -> Callable[[Row], tuple[int, str]]:
    """Shorter addresses first: near enough to their order, and any text will do."""
    return lambda row: (len(str(row[column])), str(row[column]))


def _transport(row: Row) -> str:
    return foreign(row["proto"]).lower()


def _content(row: Row) -> str:
    # What a mirror shows of a name may be anything.
    return foreign(row.get("name"))


_RATES = ("orig_bytes_per_second", "resp_bytes_per_second")
_BYTES = ("orig_bytes", "resp_bytes")

CONNECTIONS = View(
    "connections",
    (
        Column("local", local_end, local_end, squeezable=True),
        Column("remote", remote_end, remote_end, squeezable=True),
        _text("L4", _transport),
        _text("proto", plain("app_proto")),
        Column("content", _content, _content, flexible=True),
        _kilobytes("kB/s", *_RATES, order="rate"),
        _size("bytes", *_BYTES, order="bytes"),
        _age("age", "start_ns", "start"),
    ),
    lambda sample: sample["flows"],
    lambda row: str(row["flow_id"]),
    lambda row: str(row[f"{row['local']}_ip"]),
    5,
    "flows",
    lambda row: "bold red" if row["alerted"] else "",
)
DEVICES = View(
    "devices",
    (
        Column("address", plain("ip"), _ip_sorts("ip"), squeezable=True),
        Column("name", plain("name"), plain("name"), flexible=True),
        _text("VLAN", lambda row: tags(row["vlan"])),
        _spare(_kilobytes("out kB/s", "bytes_out_per_second")),
        _spare(_kilobytes("in kB/s", "bytes_in_per_second")),
        _kilobytes("kB/s", "bytes_out_per_second", "bytes_in_per_second", order="rate"),
        _size("bytes", "bytes_out", "bytes_in", order="bytes"),
        _count("peers", "peers", order="peers"),
        _count("flows", "flows", order="flows"),
        _age("seen", "last_seen_ns", "last"),
        _text("MAC", plain("mac")),
    ),
    lambda sample: sample["hosts"],
    lambda row: str(row["ip"]),
    lambda row: str(row["ip"]),
    5,
    "hosts",
)


def _sums(first: tuple[Column, ...]) -> tuple[Column, ...]:
    return (
        *first,
        _count("hosts", "hosts"),
        _count("flows", "flows"),
        _kilobytes("out kB/s", "bytes_out_per_second"),
        _kilobytes("in kB/s", "bytes_in_per_second"),
        _kilobytes("kB/s", "bytes_out_per_second", "bytes_in_per_second"),
        _size("bytes", "bytes_out", "bytes_in"),
    )


REMOTES = View(
    "remotes",
    _sums(
        (
            Column("address", plain("ip"), _ip_sorts("ip"), squeezable=True),
            Column(
                "ports", lambda row: foreign(" ".join(row["ports"])), lambda row: " ".join(row["ports"]), flexible=True
            ),
        )
    ),
    lambda sample: sample["remotes"],
    lambda row: str(row["ip"]),
    lambda row: str(row["ip"]),
    6,
)
VLANS = View(
    "VLANs",
    _sums((Column("VLAN", lambda row: tags(row["vlan"]) or "untagged", lambda row: tuple(row["vlan"])),)),
    lambda sample: sample["vlans"],
    lambda row: tags(row["vlan"]),
    lambda _: None,
    5,
)

_SEVERITIES = ("high", "medium", "low", "info")


def _urgency(row: Row) -> int:
    return -_SEVERITIES.index(row["severity"])


def _alert_style(row: Row) -> str:
    if row["closed"]:
        return "dim"
    return {"high": "bold red", "medium": "yellow"}.get(row["severity"], "")


def _state(row: Row) -> str:
    return "closed" if row["closed"] else "open"


def _what(row: Row) -> str:
    if "servers" in row:
        return f"{counted(row['connections'], 'connection')} to {counted(row['servers'], 'server')}"
    return " ".join(filter(None, (foreign(row["indicator"]), foreign(row.get("text")), foreign(row.get("stage")))))


def _times(row: Row) -> int | None:
    found: int | None = row.get("contacts", row.get("connections", row.get("count")))
    return found


ALERTS = View(
    "alerts",
    (
        # Closed ones are dim, too.
        _spare(_text("state", _state)),
        Column("severity", plain("severity"), _urgency, number=True, is_word=True, order="severity"),
        _text("rule", plain("rule")),
        Column("host", plain("host"), _ip_sorts("host"), squeezable=True),
        Column("what", _what, _what, flexible=True),
        _number("times", lambda row: f"{_times(row) or 0:,}", lambda row: _times(row) or 0),
        _number("seen UTC", lambda row: foreign(row["last_seen"][11:19]), plain_key("last_seen"), "last"),
        _text("id", lambda row: f"#{foreign(row['id'])}"),
    ),
    lambda _: (),
    lambda row: str(row["id"]),
    lambda row: row["host"] or None,
    6,
    "alerts",
    _alert_style,
)


def _mirror_rows(sample: Sample) -> list[Row]:
    reasons: dict[str, list[str]] = {}
    for reason in sample["mirror"]["reasons"]:
        reasons.setdefault(reason["source"], []).append(reason["text"])
    sources = sample["mirror"]["sources"]
    rows = [{**row, "against": "; ".join(reasons.pop(row["source"], []))} for row in sources]
    # Reasons of what has no row of its own: the mirror as a whole, or an interface that shows nothing.
    return [*({"source": source, "against": "; ".join(texts)} for source, texts in reasons.items()), *rows]


def _copies(row: Row) -> int:
    return sum(row.get("duplicate_frames", {}).values())


def _known(column: str) -> Callable[[Row], int]:
    return lambda row: row.get(column) or 0


def _mirror_count(title: str, column: str) -> Column:
    return _number(title, count(column), _known(column))


MIRROR = View(
    "mirror",
    (
        Column("source", plain("source"), plain("source"), squeezable=True),
        _number("kB/s", lambda row: kilo(_known("bits_per_second")(row) / 8), _known("bits_per_second")),
        _mirror_count("frames", "frames"),
        _mirror_count("lost", "sequence_lost_frames"),
        _number("copies", lambda row: f"{_copies(row):,}", _copies),
        _mirror_count("cut", "truncated_frames"),
        _mirror_count("one-sided", "tcp_one_sided_flows"),
        Column("what speaks against it", plain("against"), plain("against"), flexible=True),
    ),
    _mirror_rows,
    lambda row: str(row["source"]),
    lambda _: None,
    1,
    style=lambda row: "yellow" if row["against"] else "",
)

VIEWS = (CONNECTIONS, DEVICES, REMOTES, VLANS, ALERTS, MIRROR)
