"""What the links of mails lead to: listed places, and other places than they show."""

from collections.abc import Iterator
from typing import NamedTuple, Protocol, TypedDict

from sensor.mail.domains import OwnDomains
from sensor.mail.letter import Letter
from sensor.mail.rows import MailRow
from sensor.mail.wording import host_of, related, shown_host


class ListedUrl(TypedDict):
    """The entry that lists a URL, its host or the host's address; `metadata` is a JSON object."""

    list: str
    indicator: str
    type: str
    severity: int
    metadata: str


class Lists(Protocol):
    """Compiled watchlists, as far as mails are looked up in them."""

    def find_url(self, url: str, time_ns: int) -> ListedUrl | None:
        """Give the entry that lists a URL, its host or the host's address."""


class Listed(NamedTuple):
    """A listed link."""

    url: str
    entry: ListedUrl


def listed_links(row: MailRow, lists: Lists | None) -> Iterator[Listed]:
    """Give the links of a mail that a watchlist knows, each indicator once."""
    met: set[str] = set()
    for link in row["urls"] if lists is not None else ():
        entry = lists.find_url(link["url"], row["time_ns"]) if lists is not None else None
        if entry is not None and entry["indicator"] not in met:
            met.add(entry["indicator"])
            yield Listed(link["url"], entry)


def misleading_link(letter: Letter, own: OwnDomains) -> tuple[str, str] | None:
    """Give what a link shows and where it leads instead, if these are of two domains.

    Newsletters lead through their sender's counters: of those only one that shows an own domain misleads.
    """
    for url, shown in letter.links:
        claimed, host = shown_host(shown), host_of(url)
        misleads = claimed and host and not related(claimed, host)
        if misleads and (not letter.is_bulk or own.owns(f"@{claimed}")):
            return claimed, host
    return None
