"""Networks, looked up by address: a few prefix lengths, whatever the number of networks."""

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6, inet_pton

_BYTE_BITS = 8


class Networks:
    """Networks as they are written, by what they hold."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._levels: dict[tuple[int, int], dict[int, str]] = {}
        for text in networks:
            network = ip_network(text)
            host_bits = network.max_prefixlen - network.prefixlen
            level = self._levels.setdefault((network.max_prefixlen, host_bits), {})
            level[int(network.network_address) >> host_bits] = text

    def __bool__(self) -> bool:
        return bool(self._levels)

    def of(self, address: str) -> Iterator[str]:
        """Give all networks that hold an address."""
        number, bits = _number(address)
        for (family_bits, host_bits), level in self._levels.items():
            if family_bits == bits and (found := level.get(number >> host_bits)) is not None:
                yield found


def _number(address: str) -> tuple[int, int]:
    """Read an address as records have it; what reads any other form takes ten times as long."""
    try:
        packed = inet_pton(AF_INET6 if ":" in address else AF_INET, address)
    except OSError:
        found = ip_address(address)
        return int(found), found.max_prefixlen
    return int.from_bytes(packed, "big"), len(packed) * _BYTE_BITS
