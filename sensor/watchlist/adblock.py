"""Filter lists of ad blockers, as far as they block whole names (https://adguard-dns.io/kb/general/dns-filtering-syntax/).

`||name^` blocks a name and everything below it, `@@||name^` exempts it. Rules about parts of pages, paths, patterns or
certain requests only say nothing about a name as a whole and are refused.
"""

import re

from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Conversion, Table

# Options that leave the rule as wide as it is.
_HARMLESS_OPTIONS = frozenset({"all", "doc", "document", "important"})

_RULE = re.compile(r"(@@)?\|\|([^\s/|*^$:]+)\^?\|?(?:\$(.*))?")
_ADDRESS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
_PART_OF_A_PAGE = re.compile(r"#[@?$%]*#(?![#\s]|$)")
_EVERYTHING_ELSE = "only rules of the form ||name^ are taken"


def convert(text: bytes) -> Conversion:
    """Give the names that are blocked or exempted as a whole."""
    table = Table("action")
    for place, line in lines_of(text, table):
        rule = _RULE.fullmatch(line)
        if rule is None:
            if not _is_comment(line):
                table.refuse(place, "a rule about parts of pages" if _PART_OF_A_PAGE.search(line) else _EVERYTHING_ELSE)
            continue
        exempts, name, options = rule.groups()
        if options and not _HARMLESS_OPTIONS.issuperset(options.lower().split(",")):
            table.refuse(place, "options narrow the rule; only a whole name can be taken")
            continue
        kind = "ip" if name[-1].isdigit() and _ADDRESS.fullmatch(name) else "suffix"
        table.add(place, (kind, name, "allow" if exempts else "alert"))
    return table.finish()


def _is_comment(line: str) -> bool:
    is_header = line.startswith("[Adblock") and line.endswith("]")
    return line.startswith("!") or is_header or (line.startswith("#") and not _PART_OF_A_PAGE.match(line))
