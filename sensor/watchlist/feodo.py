"""Feodo Tracker's lists of botnet controllers (https://feodotracker.abuse.ch/blocklist/), CSV and JSON.

The CSV's header stands uncommented among `#` lines:
"first_seen_utc","dst_ip","dst_port","c2_status","last_online","malware". The JSON is a list of objects with
`ip_address`, `port`, `status`, `first_seen`, `last_online` and `malware`.
"""

from collections.abc import Iterator

from sensor.watchlist.feed_csv import Cells, CsvFeed
from sensor.watchlist.feed_json import END, as_entry, text_of, walk
from sensor.watchlist.lines import is_json
from sensor.watchlist.table import Conversion, Place, Table

FEED = CsvFeed(
    name="Feodo Tracker's CSV",
    wanted=("dst_ip", "dst_port", "malware", "c2_status", "first_seen_utc", "last_online"),
    required=frozenset({"dst_ip", "dst_port"}),
)

_JSON_KEYS = ("ip_address", "port", "malware", "status", "first_seen", "last_online")


def convert(text: bytes) -> Conversion:
    """Give the controllers. Raises ValueError when it is no such list."""
    table = Table("port", "proto", "source", "threat_type", "malware", "tags", "first_seen", "last_seen")
    rows = _json_rows(text) if is_json(text) else FEED.rows(text, table)
    for place, (address, port, *known) in rows:
        kind, protocol = ("ip_port", "tcp") if port else ("ip", "")
        table.add(place, (kind, address, port, protocol, "feodotracker", "botnet_cc", *known))
    return table.finish()


def _json_rows(text: bytes) -> Iterator[tuple[Place, Cells]]:
    for place, _, value in walk(text, lambda path: path == ()):
        if value is not END:
            entry = as_entry(value)
            yield place, tuple(text_of(entry, key) for key in _JSON_KEYS)
