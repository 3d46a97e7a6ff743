"""Reputation lists of Suricata (https://docs.suricata.io/en/latest/reputation/ipreputation/ip-reputation-format.html).

A line is `address or network,category,score`, the score from 1 (hardly) to 127 (certainly).
"""

import re

from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Conversion, Table

LINE = re.compile(
    r"(?P<indicator>[0-9A-Fa-f:.]+(?P<prefix>/[0-9]{1,3})?)\s*,\s*(?P<category>[0-9]{1,2})\s*,\s*(?P<score>[0-9]{1,3})"
)

_HIGHEST_SCORE = 127


def convert(text: bytes) -> Conversion:
    """Give addresses and networks, the score as a confidence up to 100 and the category as a tag."""
    table = Table("source", "confidence", "tags")
    for place, line in lines_of(text, table):
        if line.startswith("#"):
            continue
        entry = LINE.fullmatch(line)
        score = int(entry["score"]) if entry else 0
        if entry is None or score > _HIGHEST_SCORE:
            table.refuse(place, "not address,category,score with a score up to 127")
        elif score == 0:
            table.refuse(place, "score 0 says that nothing is known")
        else:
            kind = "cidr" if entry["prefix"] else "ip"
            confidence = str(round(score * 100 / _HIGHEST_SCORE))
            table.add(place, (kind, entry["indicator"], "iprep", confidence, f"category {entry['category']}"))
    return table.finish()
