"""Datasets of Suricata (https://docs.suricata.io/en/latest/rules/datasets.html).

An entry a line: sets of type `string` in base64, sets of addresses plain; a reputation may follow behind a comma. The
file does not say its type, so that each line is judged by what it holds.
"""

import base64
import binascii
import re

from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Conversion, Table

_REPUTATION = re.compile(r",[0-9]{1,5}$")
_HASH = re.compile(r"[0-9A-Fa-f]{32}|[0-9A-Fa-f]{64}")
_JA4 = re.compile(r"[a-z][0-9a-z]{9}_[0-9a-f]{12}_[0-9a-f]{12}")


def convert(text: bytes) -> Conversion:
    """Give addresses, domains, URLs and JA4 fingerprints; the core tells them apart. Hashes are refused."""
    table = Table("source")
    for place, line in lines_of(text, table):
        if line.startswith("#"):
            continue
        value = _REPUTATION.sub("", line) if "," in line else line
        if _HASH.fullmatch(value):
            table.refuse(place, "hashes of files are not matched")
            continue
        indicator = value if may_be_indicator(value) else unpack(value)
        if indicator is None:
            table.refuse(place, "neither an indicator nor one in base64")
        else:
            table.add(place, ("", indicator, "dataset"))
    return table.finish()


def may_be_indicator(text: str) -> bool:
    """Whether text has what every name, address and URL has and base64 never: a dot or a colon."""
    return "." in text or ":" in text or ("_" in text and bool(_JA4.fullmatch(text)))


def unpack(text: str) -> str | None:
    """Give what may be an indicator out of base64 (RFC 4648, section 4), None if there is none in it."""
    try:
        unpacked = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return unpacked if unpacked.isprintable() and may_be_indicator(unpacked) else None
