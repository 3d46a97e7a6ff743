"""Small helpers over packed bytes."""

import ipaddress
import struct
from collections.abc import Iterator
from functools import lru_cache


@lru_cache(maxsize=4096)
def address_octets(address: str | None) -> bytes:
    """Give the bytes of an address in text; none for None."""
    return ipaddress.ip_address(address).packed if address else b""


def values(message: bytes, header: struct.Struct) -> Iterator[tuple[int, bytes]]:
    """Give type and value of each entry of a list whose entries begin with type and length; a cut one ends the list."""
    at = 0
    while at + header.size <= len(message):
        kind, length = header.unpack_from(message, at)
        at += header.size
        if at + length > len(message):
            return
        yield kind, message[at : at + length]
        at += length
