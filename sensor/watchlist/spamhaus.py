"""Spamhaus's DROP lists of networks (https://www.spamhaus.org/blocklists/do-not-route-or-peer/), IPv4 and IPv6.

Each line is a JSON object, the last one holds `"type":"metadata"`.
"""

from sensor.watchlist.feed_json import as_entry, decode_line, text_of
from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Conversion, Table


def convert(text: bytes) -> Conversion:
    """Give the networks. A line that is damaged is refused alone."""
    table = Table("source", "source_id", "threat_type", "tags")
    for place, line in lines_of(text, table):
        try:
            entry = as_entry(decode_line(line))
        except ValueError as error:
            table.refuse(place, str(error))
            continue
        network = text_of(entry, "cidr")
        if network:
            known = (text_of(entry, "sblid"), "drop", text_of(entry, "rir"))
            table.add(place, ("cidr", network, "spamhaus", *known))
        elif entry.get("type") != "metadata":
            table.refuse(place, "no network (`cidr`) in it")
    return table.finish()
