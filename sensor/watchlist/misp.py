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


class _Attribute(NamedTuple):
    place: Place
    entry: Mapping[str, object]


class _Event(NamedTuple):
    """What an event says of all its attributes."""

    severity: str
    date: str
    uuid: str
    info: str
    tags: list[str]
    malware: str

    @classmethod
    def of(cls, event: Mapping[str, object]) -> "_Event":
        tags = _tags(event)
        severity = _SEVERITIES.get(text_of(event, "threat_level_id"), "")
        date, uuid, info = (text_of(event, key) for key in ("date", "uuid", "info"))
        return cls(severity, date, uuid, info, tags, _malware(tags))


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
    attributes: list[_Attribute] = []
    # What is said of an event stands before and behind its attributes.
    for place, path, value in walk(text, _enters):
        if value is END and path[-1:] in {("Event",), ()}:
            _add_all(table, attributes, event)
            event, attributes = {}, []
        elif path[-2:] == ("Attribute", ELEMENT):
            attributes.append(_Attribute(place, as_entry(value)))
        elif path[-2:-1] == ("Event",):
            event[path[-1]] = value
    return table.finish()


def _enters(path: Path) -> bool:
    """Enter everything that may hold attributes, but not the attributes."""
    last = path[-1:] or (ELEMENT,)
    return last[0] in _CONTAINERS or (last[0] == ELEMENT and path[-2:-1] != ("Attribute",))


def _add_all(table: Table, attributes: list[_Attribute], event: Mapping[str, object]) -> None:
    of_all = _Event.of(event)
    for place, entry in attributes:
        reason = _reason(entry)
        indicators = [] if reason else list(_indicators(text_of(entry, "type"), text_of(entry, "value").strip()))
        if reason or not indicators:
            table.refuse(place, reason or f"type {excerpt(text_of(entry, 'type'))} is not matched")
            continue
        own_event = as_entry(entry.get("Event"))
        known = _known(entry, _Event.of(own_event) if own_event else of_all)
        for indicator in indicators:
            table.add(place, (*indicator, "misp", *known))


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


def _known(entry: Mapping[str, object], event: _Event) -> tuple[str, ...]:
    tags = _tags(entry)
    return (
        event.severity,
        text_of(entry, "uuid"),
        _malware(tags) or event.malware,
        text_of(entry, "category"),
        ",".join([*tags, *event.tags]),
        text_of(entry, "first_seen") or event.date,
        text_of(entry, "last_seen"),
        event.uuid,
        "; ".join(filter(None, (event.info, text_of(entry, "comment")))),
    )


def _malware(tags: list[str]) -> str:
    return next((found[1] for tag in tags if (found := _MALWARE_TAG.fullmatch(tag))), "")


def _tags(entry: Mapping[str, object]) -> list[str]:
    tags = entry.get("Tag")
    names = (text_of(as_entry(tag), "name") for tag in tags) if isinstance(tags, list) else ()
    return [name for name in names if name]
