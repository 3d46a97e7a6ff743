"""Where a mirror hangs: the switch ports that say so of themselves, for each source of frames."""

from collections import OrderedDict
from typing import Any

from sensor.identity.facts import Neighbour

_MOST_PLACES = 256
_MOST_PER_SOURCE = 16


class Places:
    """Ports by source; the one heard longest ago goes when there are too many."""

    def __init__(self) -> None:
        self._places: OrderedDict[tuple[str, str, str], Neighbour] = OrderedDict()

    def learn(self, neighbour: Neighbour) -> None:
        """Take what a switch says."""
        key = (neighbour.source, neighbour.switch, neighbour.port)
        self._places[key] = neighbour
        self._places.move_to_end(key)
        same = [other for other in self._places if other[0] == neighbour.source]
        if len(same) > _MOST_PER_SOURCE:
            del self._places[same[0]]
        if len(self._places) > _MOST_PLACES:
            self._places.popitem(last=False)

    def describe(self) -> list[dict[str, Any]]:
        """Give all as the API shows them, by source, switch and port."""
        return [
            {
                "source": place.source,
                "switch": place.switch,
                "port": place.port,
                "description": place.description,
                "vlan": place.vlan,
                "protocol": place.protocol,
                "last_seen_ns": place.time_ns,
            }
            for _, place in sorted(self._places.items())
        ]
