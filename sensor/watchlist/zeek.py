"""Intelligence files of Zeek (https://docs.zeek.org/en/master/frameworks/intel.html).

Columns are separated by tabs and named in the line `#fields`; `-` stands for nothing.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter

from sensor.alerts.text import counted
from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Conversion, Table, excerpt

HEADER = "#fields\t"

_REQUIRED = ("indicator", "indicator_type")
_WANTED = (*_REQUIRED, "meta.source", "meta.desc", "meta.url")
_TYPES = {"Intel::ADDR": "ip", "Intel::SUBNET": "cidr", "Intel::DOMAIN": "domain", "Intel::URL": "url"}


def convert(text: bytes) -> Conversion:
    """Give addresses, subnets, domains and URLs; other types are refused. Raises ValueError without a header."""
    table = Table("source", "comment", "reference")
    header: list[str] = []
    pick: Callable[[Sequence[str]], tuple[str, ...]] = tuple
    for place, line in lines_of(text, table):
        if line.startswith(HEADER):
            header = _header(line)
            pick = itemgetter(*(header.index(name) if name in header else -1 for name in _WANTED))
        elif not line.startswith("#"):
            cells = line.split("\t")
            if not header:
                raise ValueError("the first line is not the #fields line of Zeek's intelligence files")
            if len(cells) != len(header):
                table.refuse(
                    place, f"{counted(len(cells), 'column')} where #fields has {len(header)}; a tab stands between two"
                )
                continue
            indicator, kind, *known = pick([*cells, "-"])
            if kind in _TYPES:
                known = ["" if cell == "-" else cell for cell in known]
                table.add(place, (_TYPES[kind], _with_scheme(indicator, kind), *known))
            else:
                table.refuse(place, f"type {excerpt(kind)} is not matched")
    if not header:
        raise ValueError("no #fields line of Zeek's intelligence files")
    return table.finish()


def _header(line: str) -> list[str]:
    header = line.removeprefix(HEADER).split("\t")
    if not set(header) >= set(_REQUIRED):
        raise ValueError(f"the #fields line needs {' and '.join(_REQUIRED)}")
    return header


def _with_scheme(indicator: str, kind: str) -> str:
    """Zeek writes URLs without the scheme, and sees them in HTTP."""
    return f"http://{indicator}" if kind == "Intel::URL" and "://" not in indicator else indicator
