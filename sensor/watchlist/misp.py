"""Events of MISP (https://www.misp-standard.org/rfc/misp-standard-core.html): an event, a list of them, or attributes.

Taken are attributes that are meant for detection (`to_ids`), also those in objects. `a|b` holds two values: an address
and its port, or a name and its address, which give an entry each.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sensor.watchlist.feed_json import ELEMENT, END, Path, as_entry, text_of, walk
from sensor.watchlist.table import Conversion, Place, Table, excerpt

_CONTAINERS = frozenset({"response", "Event", "Attribute", "Object"})
_SEVERITIES = {"1": "high", "2": "medium", "3": "low"}
_ADDRESS_TYPES = frozenset({"ip-src", "ip-dst"})
_NAME_TYPES = frozenset({"domain", "hostname"})
_AS_THEY_ARE = frozenset({"url", "ja4"})
_MALWARE_TAG = re.compile(
    r'(?:malware|misp-galaxy:[a-z0-9-]*(?:malware|malpedia|rat|botnet|ransomware|banker|stealer))[=:]"?([^"]+)"?'
)

Indicator = tuple[str, str, str]
"""Type, indicator and port."""


class _Event(NamedTuple):
    """What an event says of all its attributes."""

    severity: str
    date: str
    uuid: str
    info: str
    tags: str
    malware: str

    @classmethod
    def of(cls, event: Mapping[str, object]) -> "_Event":
        tags = _tags(event)
        severity = _SEVERITIES.get(text_of(event, "threat_level_id"), "")
        date, uuid, info = (text_of(event, key) for key in ("date", "uuid", "info"))
        return cls(severity, date, uuid, info, ",".join(tags), _malware(tags))


class _Said(NamedTuple):
    """What an attribute says beside its value; a search gives each its own event."""

    uuid: str
    malware: str
    category: str
    tags: str
    first_seen: str
    last_seen: str
    comment: str
    event: _Event | None

    @classmethod
    def of(cls, entry: Mapping[str, object]) -> "_Said":
        tags = _tags(entry)
        event = as_entry(entry.get("Event"))
        return cls(
            text_of(entry, "uuid"),
            _malware(tags),
            text_of(entry, "category"),
            ",".join(tags),
            text_of(entry, "first_seen"),
            text_of(entry, "last_seen"),
            text_of(entry, "comment"),
            _Event.of(event) if event else None,
        )

    def cells(self, event: _Event) -> tuple[str, ...]:
        return (
            event.severity,
            self.uuid,
            self.malware or event.malware,
            self.category,
            ",".join(filter(None, (self.tags, event.tags))),
            self.first_seen or event.date,
            self.last_seen,
            event.uuid,
            "; ".join(filter(None, (event.info, self.comment))),
        )


_Waiting = list[tuple[Place, Indicator, _Said]]


def convert(text: bytes) -> Conversion:
    """Give addresses, names and URLs of the attributes. Raises ValueError when it is not JSON."""
    table = Table(
        "port",
        "source",
        "severity",
        "source_id",
        "malware",
        "threat_type",
        "tags",
        "first_seen",
        "last_seen",
        "reference",
        "comment",
    )
    event: dict[str, object] = {}
    # What is said of an event stands before and behind its attributes, which as they are would take much memory.
    waiting: _Waiting = []
    for place, path, value in walk(text, _enters):
        if value is END and path[-1:] in {("Event",), ()}:
            _add_all(table, waiting, event)
            event, waiting = {}, []
        elif path[-2:] == ("Attribute", ELEMENT):
            waiting += _read(table, place, as_entry(value))
        elif path[-2:-1] == ("Event",):
            event[path[-1]] = value
    return table.finish()


def _enters(path: Path) -> bool:
    """Enter everything that may hold attributes, but not the attributes."""
    last = path[-1:] or (ELEMENT,)
    return last[0] in _CONTAINERS or (last[0] == ELEMENT and path[-2:-1] != ("Attribute",))


def _add_all(table: Table, waiting: _Waiting, event: Mapping[str, object]) -> None:
    of_all = _Event.of(event)
    for place, indicator, said in waiting:
        table.add(place, (*indicator, "misp", *said.cells(said.event or of_all)))


def _read(table: Table, place: Place, entry: Mapping[str, object]) -> _Waiting:
    """Give an attribute's indicators; refuse it if it has none."""
    kind = text_of(entry, "type")
    reason = _reason(entry)
    indicators = [] if reason else list(_indicators(kind, text_of(entry, "value").strip()))
    if not indicators:
        table.refuse(place, reason or f"type {excerpt(kind)} is not matched")
        return []
    said = _Said.of(entry)
    return [(place, indicator, said) for indicator in indicators]


def _reason(entry: Mapping[str, object]) -> str:
    """Say why an attribute is not meant to be matched; nothing if it is."""
    if not _is_true(entry.get("to_ids")):
        return "not meant for detection (to_ids)"
    return "deleted" if _is_true(entry.get("deleted")) else ""


def _is_true(value: object) -> bool:
    return value is True or value in ("1", "true")


def _indicators(kind: str, value: str) -> Iterator[Indicator]:
    first, _, second = value.partition("|")
    outer, _, inner = kind.partition("|")
    if kind in _AS_THEY_ARE:
        yield kind, value, ""
    elif inner == "port" and outer in _ADDRESS_TYPES:
        yield "ip_port", first, second
    elif inner not in {"", "ip", "port"}:
        return
    elif outer in _ADDRESS_TYPES and not inner:
        yield _address(value)
    elif outer in _NAME_TYPES:
        # A name is met in questions, where there is no port.
        yield "domain", first, ""
        if inner == "ip":
            yield _address(second)


def _address(text: str) -> Indicator:
    return "cidr" if "/" in text else "ip", text, ""


def _malware(tags: list[str]) -> str:
    return next((found[1] for tag in tags if (found := _MALWARE_TAG.fullmatch(tag))), "")


def _tags(entry: Mapping[str, object]) -> list[str]:
    tags = entry.get("Tag")
    names = (text_of(as_entry(tag), "name") for tag in tags) if isinstance(tags, list) else ()
    return [name for name in names if name]
