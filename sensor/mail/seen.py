"""Mails that were counted already: the same one relayed, retried, shown twice by the mirror, or read again."""

from collections import OrderedDict

from sensor.mail.letter import all_recipients
from sensor.mail.rows import MailRow

MOST_REMEMBERED = 50_000
"""Mails that are remembered; beyond that the one that was not met for longest is forgotten."""

_MOST_RECIPIENTS = 1000


class SeenMails:
    """Remembers which mail went to whom."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._seen: OrderedDict[tuple[str, str, str], set[str]] = OrderedDict()

    def new_recipients(self, row: MailRow) -> tuple[str, ...]:
        """Give the recipients that this mail has not been seen to go to, and remember them.

        A mail is known by its Message-ID, or else by its body, and its sender; a relay may split its recipients.
        """
        recipients = all_recipients(row)
        if not row["has_message"]:
            return recipients
        known = self._remembered(row)
        new = tuple(address for address in recipients if address not in known)
        known.update(new[: _MOST_RECIPIENTS - len(known)])
        return new

    def is_known(self, row: MailRow) -> bool:
        """Whether this mail was seen on its way before; remembers it."""
        key = _key(row)
        known = key in self._seen
        self._remembered(row)
        return known

    def _remembered(self, row: MailRow) -> set[str]:
        key = _key(row)
        known = self._seen.get(key)
        if known is None:
            known = self._seen[key] = set()
            if len(self._seen) > self._most:
                self._seen.popitem(last=False)
        else:
            self._seen.move_to_end(key)
        return known


def _key(row: MailRow) -> tuple[str, str, str]:
    identity = row["message_id"] or f"{row['body_md5']} {row['date']}"
    return (identity, row["from_address"].casefold(), row["subject"])
