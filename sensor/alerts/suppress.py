"""Suppressions: alerts that an operator knows of and does not want to read until a stated time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Protocol

from sensor.alerts.incident import Key
from sensor.alerts.text import NS_PER_SECOND

Network = IPv4Network | IPv6Network

_REMEMBERED_VERDICTS = 20_000


class SuppressEntry(Protocol):
    """An entry of `alerts.suppress`; what is None matches everything."""

    @property
    def rule(self) -> str | None:
        """Name of the rule."""

    @property
    def host(self) -> Network | None:
        """Networks of the incident's host."""

    @property
    def indicator(self) -> str | None:
        """Text of the indicator."""

    @property
    def remote(self) -> Network | None:
        """Networks of the remote end."""

    @property
    def until(self) -> datetime | None:
        """When it expires."""


@dataclass(frozen=True, slots=True)
class _Suppression:
    entry: SuppressEntry
    until_ns: int | None

    def covers(self, key: Key, remote: str) -> bool:
        entry = self.entry
        return (
            entry.rule in (None, key.rule)
            and entry.indicator in (None, key.subject)
            and _within(key.host, entry.host)
            and _within(remote, entry.remote)
        )


def _within(address: str, network: Network | None) -> bool:
    if network is None:
        return True
    return bool(address) and ip_address(address) in network


class Suppressions:
    """Answers whether an alert is suppressed. Expiry is judged at packet time."""

    def __init__(self, entries: Iterable[SuppressEntry] = ()) -> None:
        self._suppressions = [
            _Suppression(entry, None if entry.until is None else int(entry.until.timestamp() * NS_PER_SECOND))
            for entry in entries
        ]
        self._verdicts: dict[tuple[Key, str], tuple[_Suppression, ...]] = {}

    def covers(self, key: Key, remote: str, time_ns: int) -> bool:
        """Whether an entry that has not expired at `time_ns` matches; `remote` is an address or empty."""
        if not self._suppressions:
            return False
        matching = self._verdicts.get((key, remote))
        if matching is None:
            matching = self._match(key, remote)
        return any(found.until_ns is None or time_ns < found.until_ns for found in matching)

    def _match(self, key: Key, remote: str) -> tuple[_Suppression, ...]:
        if len(self._verdicts) >= _REMEMBERED_VERDICTS:
            self._verdicts.clear()
        matching = tuple(found for found in self._suppressions if found.covers(key, remote))
        self._verdicts[key, remote] = matching
        return matching
