"""Networks, looked up by address: a few prefix lengths, whatever the number of networks."""

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from socket import AF_INET, AF_INET6, inet_pton
from typing import Generic, TypeVar

T = TypeVar("T")
_BYTE_BITS = 8


class Networks(Generic[T]):
    """Values by the networks that they are of."""

    def __init__(self, networks: Iterable[tuple[str, T]]) -> None:
        self._levels: dict[tuple[int, int], dict[int, list[T]]] = {}
        for text, value in networks:
            network = ip_network(text)
            level = self._levels.setdefault((network.max_prefixlen, network.max_prefixlen - network.prefixlen), {})
            level.setdefault(int(network.network_address) >> network.max_prefixlen - network.prefixlen, []).append(
                value
            )

    def __bool__(self) -> bool:
        return bool(self._levels)

    def of(self, address: str) -> list[T]:
        """Give the values of all networks that hold an address."""
        number, bits = _number(address)
        found: list[T] = []
        for (family_bits, host_bits), level in self._levels.items():
            if family_bits == bits:
                found += level.get(number >> host_bits, ())
        return found


def _number(address: str) -> tuple[int, int]:
    """Read an address as records have it; what reads any other form takes ten times as long."""
    try:
        packed = inet_pton(AF_INET6 if ":" in address else AF_INET, address)
    except OSError:
        found = ip_address(address)
        return int(found), found.max_prefixlen
    return int.from_bytes(packed, "big"), len(packed) * _BYTE_BITS
