"""Which end of a flow is the own host."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network

_REMEMBERED_ADDRESSES = 16_384


class Ends:
    """Tells internal addresses from others by the networks of the configuration; may be asked from any thread."""

    def __init__(self, internal: Iterable[Network]) -> None:
        self._internal = tuple(internal)
        # The same addresses are asked for every second, and reading one takes two microseconds.
        self.is_internal = lru_cache(_REMEMBERED_ADDRESSES)(self._judge)

    def marked(self, flows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Give each flow a column `local`: `orig` or `resp`, the internal end; of two alike the originator."""
        for row in flows:
            resp_is_local = self.is_internal(row["resp_ip"]) and not self.is_internal(row["orig_ip"])
            row["local"] = "resp" if resp_is_local else "orig"
        return flows

    def _judge(self, address: str) -> bool:
        found = ip_address(address)
        return any(found in network for network in self._internal)
