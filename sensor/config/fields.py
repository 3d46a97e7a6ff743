"""Field types of the configuration: each reads what people write, and says what to write instead."""

# ruff: noqa: TRY004  # pydantic reports a ValueError, a TypeError it lets through

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, ValidationInfo, WithJsonSchema

from sensor.config import units

T = TypeVar("T")
Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_INTERFACE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@+-]{0,14}")
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[A-Za-z0-9_-]{1,63}\.)+[A-Za-z][A-Za-z0-9-]{0,62}")
_LARGEST_PORT = 65535
_LONGEST_SOCKET_PATH_BYTES = 107


class ListenAddress(NamedTuple):
    """Where a server listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or ip_address(self.host).is_loopback

    def __str__(self) -> str:
        """`address:port`, IPv6 in brackets."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def between(least: float, most: float | None = None, write: Callable[..., str] = str) -> Callable[[float], float]:
    """Make a check that a number lies within bounds; `write` puts the bounds into the reason."""

    def check(value: float) -> float:
        if value < least:
            raise ValueError(f"must be at least {write(least)}")
        if most is not None and value > most:
            raise ValueError(f"must be at most {write(most)}")
        return value

    return check


def _as_tuple(value: object) -> object:
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError("write a list, such as [a, b], or one entry a line with a dash before it")
    return tuple(value)


def _path(value: object, info: ValidationInfo) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("write a path, such as /var/lib/spanwatch/ring")
    base = info.context["base"] if info.context else Path()
    return Path(base, value)


def _socket_path(path: Path) -> Path:
    if len(bytes(path)) > _LONGEST_SOCKET_PATH_BYTES:
        raise ValueError(f"the path of a Unix socket must not exceed {_LONGEST_SOCKET_PATH_BYTES} bytes (unix(7))")
    return path


def _network(value: object) -> Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    if not isinstance(value, str):
        raise ValueError("write a network, such as 10.0.0.0/8 or fc00::/7")
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f'"{value}" is not a network; write one such as 10.0.0.0/8 or fc00::/7') from None
    if ip_address(value.partition("/")[0]) != network.network_address:
        raise ValueError(f"{value} has bits set beyond its prefix; write {network}")
    return network


def _network_or_domain(value: object) -> Network | str:
    if isinstance(value, str) and _DOMAIN.fullmatch(value):
        return value.lower()
    try:
        return _network(value)
    except ValueError as error:
        raise ValueError(f"{error}; or a domain such as example.com") from None


def _interface_name(value: str) -> str:
    if _INTERFACE_NAME.fullmatch(value) is None:
        raise ValueError(f'"{value}" is not the name of an interface; `spanwatch interfaces` lists them')
    return value


def _listen(value: object) -> ListenAddress:
    if isinstance(value, ListenAddress):
        return value
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else "" if ":" in host else host
    if not colon or not host or not re.fullmatch(r"[1-9][0-9]{0,4}", port) or int(port) > _LARGEST_PORT:
        raise ValueError("write an address and a port from 1 to 65535, such as 127.0.0.1:9669 or [::1]:9669")
    if host != "localhost":
        try:
            ip_address(host)
        except ValueError:
            raise ValueError(f'"{host}" is not an address; write one such as 127.0.0.1:{port}') from None
    return ListenAddress(host, int(port))


def _expiry(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    example = "write a date such as 2027-01-31, or a time with its zone such as 2027-01-31T18:00:00Z"
    if not isinstance(value, str):
        raise ValueError(example)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f'"{value}" is not a time; {example}') from None
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return datetime.combine(moment.date(), time.min, UTC) + timedelta(days=1)
    if moment.tzinfo is None:
        raise ValueError(f'"{value}" has no time zone; {example}')
    return moment.astimezone(UTC)


_SIZE = {"type": ["string", "integer"], "examples": ["512MiB"]}
_DURATION = {"anyOf": [{"type": "string"}, {"const": 0}], "examples": ["1h30m"]}


def _zero_bare(write: Callable[[T], str]) -> Callable[[T], str | int]:
    """Write a quantity with its unit, but nothing as a bare 0, which stands for "no limit"."""
    return lambda value: write(value) if value else 0


_TEXT = {"type": "string"}

Size = Annotated[
    int,
    BeforeValidator(units.parse_size),
    PlainSerializer(_zero_bare(units.format_size), when_used="json"),
    WithJsonSchema(_SIZE),
]
Duration = Annotated[
    float,
    BeforeValidator(units.parse_duration),
    PlainSerializer(_zero_bare(units.format_duration), when_used="json"),
    WithJsonSchema(_DURATION),
]
Rate = Annotated[
    int,
    BeforeValidator(units.parse_rate),
    PlainSerializer(units.format_rate, when_used="json"),
    WithJsonSchema({"type": "string", "examples": ["10Gbit/s"]}),
]
Many = Annotated[tuple[T, ...], BeforeValidator(_as_tuple)]
Count = Annotated[int, AfterValidator(between(1, 1_000_000_000))]
Interval = Annotated[Duration, AfterValidator(between(0.1, write=units.format_duration))]
CountOrZero = Annotated[int, AfterValidator(between(0, 1_000_000_000))]
Port = Annotated[int, AfterValidator(between(1, _LARGEST_PORT))]
VlanId = Annotated[int, AfterValidator(between(1, 4094))]
Ratio = Annotated[float, AfterValidator(between(0.001, 1))]
ConfiguredPath = Annotated[Path, BeforeValidator(_path), WithJsonSchema(_TEXT)]
SocketPath = Annotated[ConfiguredPath, AfterValidator(_socket_path)]
ConfiguredNetwork = Annotated[Network, BeforeValidator(_network), WithJsonSchema(_TEXT)]
ConfiguredNetworkOrDomain = Annotated[Network | str, BeforeValidator(_network_or_domain), WithJsonSchema(_TEXT)]
InterfaceName = Annotated[str, AfterValidator(_interface_name)]
Listen = Annotated[ListenAddress, BeforeValidator(_listen), PlainSerializer(str), WithJsonSchema(_TEXT)]
Expiry = Annotated[datetime, BeforeValidator(_expiry), WithJsonSchema(_TEXT)]
