"""Mails that have something in common, counted over a window of packet time."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import nlargest

from sensor.alerts.rules import Severity
from sensor.mail.letter import Letter

MOST_GROUPS = 10_000
"""Groups of one kind; beyond that the one that was not met for longest is forgotten."""

MOST_RECIPIENTS = 10_000
MOST_SOURCES = 1000
MOST_HOSTS = 100
"""Recipients, senders and addresses, and hosts of links, that are told apart within one group."""


@dataclass(slots=True)
class Tally:
    """What was counted since `since_ns`."""

    since_ns: int
    messages: int = 0
    refused: int = 0
    recipients: dict[str, None] = field(default_factory=dict)
    sources: dict[str, None] = field(default_factory=dict)
    senders: dict[str, None] = field(default_factory=dict)

    def add(self, letter: Letter) -> None:
        """Count a mail; one that was refused before it was sent counts by its recipients alone."""
        self.messages += letter.row["has_message"]
        new = [address for address in letter.recipients if address not in self.recipients]
        self.refused += len(set(letter.refused) & set(new))
        self.recipients.update(dict.fromkeys(new[: MOST_RECIPIENTS - len(self.recipients)]))
        if len(self.sources) < MOST_SOURCES:
            self.sources[letter.origin] = None
        if len(self.senders) < MOST_SOURCES:
            self.senders[letter.sender] = None

    def join(self, later: "Tally") -> None:
        """Take in what was counted after this."""
        self.messages += later.messages
        self.refused += later.refused
        self.recipients.update(list(later.recipients.items())[: MOST_RECIPIENTS - len(self.recipients)])
        self.sources.update(list(later.sources.items())[: MOST_SOURCES - len(self.sources)])
        self.senders.update(list(later.senders.items())[: MOST_SOURCES - len(self.senders)])


@dataclass(slots=True)
class Group:
    """Two halves of a window, and what speaks against the mails: reasons with their severity."""

    young: Tally
    last_ns: int
    old: Tally | None = None
    announced: bool = False
    linked: bool = False
    bulk: bool = True
    reasons: dict[str, Severity] = field(default_factory=dict)
    hosts: dict[str, None] = field(default_factory=dict)
    subject: str = ""
    url: str = ""

    def turn(self, time_ns: int, half_ns: int) -> None:
        """Forget what is older than the window; a group that was announced is counted as long as it goes on."""
        if self.announced and time_ns - self.last_ns < half_ns:
            return
        if time_ns - self.young.since_ns >= half_ns:
            is_recent = time_ns - self.last_ns < half_ns
            self.old = self.young if is_recent else None
            self.young = Tally(time_ns)
            if not is_recent:
                self.announced, self.bulk, self.linked = False, True, False
                self.reasons.clear()
                self.hosts.clear()

    def announce(self) -> None:
        """From now on the group is one whole."""
        self.announced = True
        if self.old is not None:
            self.old.join(self.young)
            self.young, self.old = self.old, None

    @property
    def messages(self) -> int:
        """Mails in the window."""
        return self.young.messages + (self.old.messages if self.old else 0)

    @property
    def recipients(self) -> int:
        """Distinct recipients in the window."""
        return len(self.young.recipients | self.old.recipients if self.old else self.young.recipients)


class Groups:
    """Groups of one kind by their key."""

    def __init__(self, half_ns: int, most: int = MOST_GROUPS) -> None:
        self._half_ns = half_ns
        self._most = most
        self._groups: OrderedDict[str, Group] = OrderedDict()

    def add(self, key: str, letter: Letter) -> Group:
        """Count a mail in the group of this key."""
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(Tally(letter.time_ns), letter.time_ns)
            if len(self._groups) > self._most:
                self._groups.popitem(last=False)
        self._groups.move_to_end(key)
        group.turn(letter.time_ns, self._half_ns)
        group.last_ns = max(group.last_ns, letter.time_ns)
        group.young.add(letter)
        group.hosts.update(dict.fromkeys(letter.hosts[: MOST_HOSTS - len(group.hosts)]))
        group.subject = letter.subject or group.subject
        group.url = next((url for url, _ in letter.links), group.url)
        group.linked = group.linked or bool(letter.hosts or letter.row["attachments"])
        group.bulk = group.bulk and (letter.is_bulk or not letter.row["has_message"])
        return group

    def next_largest(self, key: str, fewest: int) -> int | None:
        """Give how many mails the largest group but this one has; None if there are fewer than so many others."""
        others = self._others(key)
        if len(self._groups) <= fewest:
            return None
        return next(iter(nlargest(1, others)), None)

    def _others(self, key: str) -> Iterator[int]:
        return (group.messages for other, group in self._groups.items() if other != key)


def many(counted: dict[str, None], one: str, most: int) -> str:
    """Say how many of something were told apart: the one itself, or their number."""
    if len(counted) == 1:
        return next(iter(counted))
    return f"{len(counted):,}{' or more' if len(counted) >= most else ''} {one}"
