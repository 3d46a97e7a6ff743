"""Hosts files that block names: `0.0.0.0 name` (the form of hosts(5), several names a line allowed)."""

from sensor.watchlist.lines import lines_of
from sensor.watchlist.table import Conversion, Place, Table, excerpt

SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1", "::0"})  # noqa: S104  # compared, not bound
"""Addresses that a blocked name is sent to."""

# What every hosts file names for the machine itself; not worth a word.
_OF_THE_MACHINE = frozenset({
    "0.0.0.0",  # noqa: S104
    "broadcasthost",
    "ip6-allhosts",
    "ip6-allnodes",
    "ip6-allrouters",
    "ip6-localhost",
    "ip6-localnet",
    "ip6-loopback",
    "ip6-mcastprefix",
    "local",
    "localhost",
    "localhost.localdomain",
    "localhost4",
    "localhost6",
})  # fmt: skip


def convert(text: bytes) -> Conversion:
    """Give each blocked name as an exact domain; refuse lines that send a name to some real address."""
    table = Table()
    for place, line in lines_of(text, table):
        words = line.partition("#")[0].split()
        if not words:
            continue
        if words[0] not in SINKS or len(words) == 1:
            _refuse(table, place, line, words[1:])
            continue
        for name in words[1:]:
            if name not in _OF_THE_MACHINE:
                table.add(place, ("domain", name))
    return table.finish()


def _refuse(table: Table, place: Place, line: str, names: list[str]) -> None:
    if not names:
        table.refuse(place, f"an address and a name to block are wanted, not {excerpt(line)}")
    elif not _OF_THE_MACHINE.issuperset(names):
        table.refuse(place, f"names of a real address; a blocked one has 0.0.0.0 or 127.0.0.1: {excerpt(line)}")
