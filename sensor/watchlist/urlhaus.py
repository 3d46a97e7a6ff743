"""URLhaus's CSV of malware URLs (https://urlhaus.abuse.ch/api/#csv).

The header stands in a `#` line. Offline URLs are kept: whoever asks for one is as infected as before.
"""

from sensor.watchlist.feed_csv import CsvFeed
from sensor.watchlist.table import Conversion, Table

FEED = CsvFeed(
    name="URLhaus's CSV",
    wanted=("url", "id", "threat", "tags", "dateadded", "last_online", "urlhaus_link", "url_status"),
    required=frozenset({"url", "urlhaus_link"}),
    usual_header=(
        "id",
        "dateadded",
        "url",
        "url_status",
        "last_online",
        "threat",
        "tags",
        "urlhaus_link",
        "reporter",
    ),
)


def convert(text: bytes) -> Conversion:
    """Give the URLs, their status as the comment. Raises ValueError when it is no such list."""
    table = Table("source", "source_id", "threat_type", "tags", "first_seen", "last_seen", "reference", "comment")
    for place, (url, *known) in FEED.rows(text, table):
        table.add(place, ("url", url, "urlhaus", *known))
    return table.finish()
