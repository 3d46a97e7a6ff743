"""Bundles of STIX 2.0 and 2.1 (https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html), and TAXII's answers.

Taken are the objects of type `indicator`. What other objects of the bundle say of them (who made them, which malware
they indicate) is kept with them.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sensor.watchlist.feed_json import END, Path, as_entry, text_of, walk
from sensor.watchlist.stix_pattern import indicators
from sensor.watchlist.table import Conversion, Place, Table, excerpt


def convert(text: bytes) -> Conversion:
    """Give the values of the indicators' patterns. Raises ValueError when it is not JSON."""
    table = Table(
        "source",
        "malware",
        "confidence",
        "source_id",
        "threat_type",
        "tags",
        "first_seen",
        "valid_until",
        "reference",
        "comment",
    )
    bundle = _Bundle()
    for place, _, value in walk(text, _enters):
        if value is END:
            continue
        try:
            bundle.read(place, as_entry(value))
        except ValueError as error:
            table.refuse(place, str(error))
    for indicator in bundle.indicators:
        names = bundle.source(indicator), bundle.malware(indicator)
        for kind, value in indicator.values:
            table.add(indicator.place, (kind, value, *names, *indicator.known))
    return table.finish()


def _enters(path: Path) -> bool:
    return path in {(), ("objects",)}


class _Indicator(NamedTuple):
    """What is kept of an indicator until the whole bundle is known."""

    place: Place
    id: str
    made_by: str
    values: list[tuple[str, str]]
    known: tuple[str, ...]


class _Bundle:
    """The indicators, and the names that other objects give them."""

    def __init__(self) -> None:
        self.indicators: list[_Indicator] = []
        self._names: dict[str, str] = {}
        self._indicated: defaultdict[str, list[str]] = defaultdict(list)

    def read(self, place: Place, entry: dict[str, object]) -> None:
        """Take what an object says. Raises ValueError with the reason why an indicator is not used."""
        kind = entry.get("type")
        if kind == "indicator":
            id_, made_by = text_of(entry, "id"), text_of(entry, "created_by_ref")
            self.indicators.append(_Indicator(place, id_, made_by, _values(entry), _known(entry, id_)))
        elif kind == "relationship" and entry.get("relationship_type") == "indicates":
            self._indicated[text_of(entry, "source_ref")].append(text_of(entry, "target_ref"))
        elif kind in {"identity", "malware", "tool"}:
            self._names[text_of(entry, "id")] = text_of(entry, "name")

    def source(self, indicator: _Indicator) -> str:
        return self._names.get(indicator.made_by) or "stix"

    def malware(self, indicator: _Indicator) -> str:
        names = (self._names.get(target, "") for target in self._indicated.get(indicator.id, ()))
        return ",".join(filter(None, names))


def _values(entry: Mapping[str, object]) -> list[tuple[str, str]]:
    """Give type and value of what an indicator lists. Raises ValueError with the reason why it is not used."""
    if entry.get("revoked") is True:
        raise ValueError("revoked")
    language = text_of(entry, "pattern_type") or "stix"
    if language != "stix":
        raise ValueError(f"a pattern in the language {excerpt(language)}")
    return indicators(text_of(entry, "pattern"))


def _known(entry: Mapping[str, object], id_: str) -> tuple[str, ...]:
    references = entry.get("external_references")
    urls = (text_of(as_entry(item), "url") for item in references) if isinstance(references, list) else ()
    return (
        text_of(entry, "confidence"),
        id_,
        text_of(entry, "indicator_types"),
        text_of(entry, "labels"),
        text_of(entry, "valid_from"),
        text_of(entry, "valid_until"),
        next(filter(None, urls), ""),
        text_of(entry, "name", "description"),
    )
