"""ThreatFox's exports of indicators (https://threatfox.abuse.ch/export/), CSV and JSON, and its API's answers.

The CSV's header stands in a `#` line, a space follows each comma, and `None` stands for nothing. `ip:port` has IPv6
without brackets. The JSON export has a list of objects for each id; the API puts them under `data`.
"""

from collections.abc import Iterator, Sequence

from sensor.watchlist.feed_csv import Cells, CsvFeed, without_none
from sensor.watchlist.feed_json import ELEMENT, END, Path, as_entry, text_of, walk
from sensor.watchlist.lines import is_json
from sensor.watchlist.table import Conversion, Place, Table, excerpt

FEED = CsvFeed(
    name="ThreatFox's CSV",
    wanted=(
        "ioc_value",
        "ioc_type",
        "confidence_level",
        "ioc_id",
        "malware_printable",
        "threat_type",
        "tags",
        "first_seen_utc",
        "last_seen_utc",
        "reference",
    ),
    required=frozenset({"ioc_value", "ioc_type"}),
    usual_header=(
        "first_seen_utc",
        "ioc_id",
        "ioc_value",
        "ioc_type",
        "threat_type",
        "fk_malware",
        "malware_alias",
        "malware_printable",
        "last_seen_utc",
        "confidence_level",
        "is_compromised",
        "reference",
        "tags",
        "anonymous",
        "reporter",
    ),
)

# For each wanted column its names in the JSON export and in the API's answers.
_JSON_KEYS: Sequence[tuple[str, ...]] = (
    ("ioc_value", "ioc"),
    ("ioc_type",),
    ("confidence_level",),
    ("ioc_id", "id"),
    ("malware_printable",),
    ("threat_type",),
    ("tags",),
    ("first_seen_utc", "first_seen"),
    ("last_seen_utc", "last_seen"),
    ("reference",),
)
_ID = 3


def convert(text: bytes) -> Conversion:
    """Give addresses with port, domains and URLs; hashes are refused. Raises ValueError when it is no such export."""
    table = Table(
        "port",
        "source",
        "confidence",
        "source_id",
        "malware",
        "threat_type",
        "tags",
        "first_seen",
        "last_seen",
        "reference",
    )
    rows = _json_rows(text) if is_json(text) else FEED.rows(text, table)
    for place, (value, kind, *known) in rows:
        indicator = _indicator(value.strip(), kind.strip().lower())
        if indicator is None:
            table.refuse(place, f"type {excerpt(kind)} is not matched")
        else:
            table.add(place, (*indicator, "threatfox", *known))
    return table.finish()


def _indicator(value: str, kind: str) -> tuple[str, str, str] | None:
    """Give type, indicator and port."""
    if kind == "ip:port":
        address, _, port = value.rpartition(":")
        return "ip_port", address.removeprefix("[").removesuffix("]"), port
    return (kind, value, "") if kind in {"domain", "url"} else None


def _json_rows(text: bytes) -> Iterator[tuple[Place, Cells]]:
    for place, path, value in walk(text, _enters):
        if value is END or path[-1:] != (ELEMENT,):
            continue
        entry = as_entry(value)
        cells = [text_of(entry, *names) for names in _JSON_KEYS]
        if not cells[_ID] and path[0] not in {ELEMENT, "data"}:
            cells[_ID] = path[0]
        yield place, tuple(without_none(cells))


def _enters(path: Path) -> bool:
    """Enter the object of ids (or of the API's answer) and the list of each, or a list that stands alone."""
    return len(path) < 2 and path != (ELEMENT,)  # noqa: PLR2004  # no deeper than the list of an id
