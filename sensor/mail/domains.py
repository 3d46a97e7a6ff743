"""Which mail domains are the own ones."""

from collections.abc import Iterable

from sensor.mail.letter import accepted_recipients, all_recipients, domain_of
from sensor.mail.rows import MailRow

_MOST_LEARNED = 1000
_SMTP_PORT = 25
_LONGEST_COMPARED = 40


class OwnDomains:
    """The domains that the configuration names, or else those for which servers inside take mail from outside."""

    def __init__(self, configured: Iterable[str]) -> None:
        self._domains = dict.fromkeys(domain.casefold().strip(".") for domain in configured)
        self._learns = not self._domains

    def learn(self, row: MailRow) -> None:
        """Learn from a transaction: whoever has logged in may be sending to anybody.

        Where the server is not seen, that a message was sent says that it was to be had.
        """
        takes = row["dest_internal"] and not row["src_internal"] and row["dest_port"] == _SMTP_PORT
        if self._learns and takes and not row["user"] and _was_taken(row) and len(self._domains) < _MOST_LEARNED:
            self._domains.update((domain, None) for to in _taken_for(row) if (domain := domain_of(to)))

    def owns(self, address: str) -> bool:
        """Whether an address is of an own domain, or one below it."""
        domain = domain_of(address)
        while domain:
            if domain in self._domains:
                return True
            domain = domain.partition(".")[2]
        return False

    def imitated_by(self, domain: str) -> str:
        """Give the own domain that a foreign one differs from by one character, empty if there is none."""
        if len(domain) > _LONGEST_COMPARED:
            return ""
        return next((own for own in self._domains if own != domain and _differ_by_one(own, domain)), "")


def _is_one_sided(row: MailRow) -> bool:
    codes = (row["mail_code"], row["data_code"], *(to["code"] for to in row["rcpt_to"]))
    return row["has_message"] and not any(codes)


def _was_taken(row: MailRow) -> bool:
    return bool(row["delivered"]) or _is_one_sided(row)


def _taken_for(row: MailRow) -> Iterable[str]:
    return all_recipients(row) if _is_one_sided(row) else accepted_recipients(row)


def _differ_by_one(one: str, other: str) -> bool:
    """Whether one character was changed, added or left out, or two neighbours have changed places."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    rest, other_rest = one[start:], other[start:]
    swapped = rest[:2] == other_rest[:2][::-1] and rest[2:] == other_rest[2:]
    return swapped or rest[1:] == other_rest[1:] or rest == other_rest[1:] or rest[1:] == other_rest
