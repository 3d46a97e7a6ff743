"""Who sent as whom, from where, which links, and what was delivered to whom."""

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import zip_longest
from typing import Any, cast
from urllib.parse import urlsplit

from sensor.alerts.rows import JudgedRow
from sensor.mail.outliers import outlying
from sensor.mail.rows import MailRow
from sensor.mail.verdicts import Verdicts
from sensor.report.bounded import Groups, Members
from sensor.report.finding import Row, Seen
from sensor.report.letters import MailFiles

_MOST_MESSAGE_IDS = 500_000
_PERMANENT_OR_LATER = 400


def sender_of(row: MailRow) -> str:
    """Give the address that the reader sees as the sender, or that of the envelope."""
    return (row["from_address"] or row["mail_from"] or "").lower()


class _Sender:
    def __init__(self, row: MailRow) -> None:
        self.seen = Seen(row)
        self.recipients, self.sources, self.envelopes = Members(), Members(), Members()


class _Source:
    def __init__(self, row: MailRow) -> None:
        self.seen = Seen(row)
        self.senders, self.subjects = Members(), Members()


class _Url:
    def __init__(self, row: MailRow) -> None:
        self.seen = Seen(row)
        self.senders, self.shown, self.clicked_by = Members(), Members(), Members()


class _Delivery:
    def __init__(self, row: MailRow) -> None:
        self.seen = Seen(row)
        self.recipients, self.delivered, self.refused, self.urls = Members(), Members(), Members(), Members()
        self.excerpt, self.message_id = row["excerpt"], row["message_id"]
        self.attachments, self.files = Members(), Members()
        self.bulk = True


class MailSections:
    """Gathers mail transactions; a mail that is relayed, or read by POP3 or IMAP, counts once."""

    def __init__(self, files: MailFiles | None = None) -> None:
        """Nothing has been sent; messages are written to `files`."""
        self._files = files
        self._verdicts = Verdicts()
        self._senders: Groups[str, _Sender] = Groups()
        self._sources: Groups[str, _Source] = Groups()
        self._urls: Groups[str, _Url] = Groups()
        self._deliveries: Groups[tuple[str, str], _Delivery] = Groups()
        self._message_ids: Groups[tuple[str, str], bool] = Groups(_MOST_MESSAGE_IDS)
        self._clicks: Groups[tuple[str, str], str] = Groups()

    @property
    def left_out(self) -> int:
        """What found no room."""
        groups: Iterable[Groups[Any, Any]] = (self._senders, self._sources, self._urls, self._deliveries)
        return sum(table.left_out for table in groups)

    def take(self, rows: Sequence[MailRow], messages: Sequence[bytes] = ()) -> None:
        """Take transactions, and the message of each; what was read is no new mail. Raises OSError."""
        for row, message in zip_longest(rows, messages, fillvalue=b""):
            self._take_row(cast("MailRow", row), message)

    def take_judged(self, judged: Iterable[JudgedRow]) -> None:
        """Take what was judged of them."""
        self._verdicts.take(judged)

    def take_clicks(self, rows: Iterable[Row]) -> None:
        """Take who asked for the host of a link, see `sensor.mail.rows`."""
        for row in rows:
            self._clicks.reach((row["src_ip"], row["host"].lower()), lambda row=row: row["protocol"])  # type: ignore[misc]

    def clicked_by(self, url: str) -> list[str]:
        """Give who inside asked for the link's host."""
        host = _host(url)
        return sorted({source for source, asked in self._clicks if asked == host})

    def _take_row(self, row: MailRow, message: bytes) -> None:
        file = self._files.take(row, message) if self._files is not None else None
        if row["protocol"] == "smtp" and (row["has_message"] or row["rcpt_to"]):
            self._take(row)
        known = self._deliveries.get((sender_of(row), row["subject"]))
        if file is not None and known is not None:
            known.files.add([file])

    def _take(self, row: MailRow) -> None:
        sender, recipients = sender_of(row), [to["address"].lower() for to in row["rcpt_to"]]
        again = self._is_known(row)
        sent = int(row["has_message"] and not again)
        if (entry := self._senders.reach(sender, lambda: _Sender(row))) is not None:
            entry.seen.add(row, sent)
            entry.recipients.add(recipients)
            entry.envelopes.add([row["mail_from"] or ""])
            if not again:
                entry.sources.add([row["src_ip"]])
        if not again:
            self._take_source(row, sender)
        self._take_urls(row, sender, again=again)
        self._take_delivery(row, sender)

    def _is_known(self, row: MailRow) -> bool:
        key = (row["message_id"], row["rcpt_to"][0]["address"].lower() if row["rcpt_to"] else "")
        if not row["message_id"] or key in self._message_ids:
            return bool(row["message_id"])
        self._message_ids.reach(key, lambda: True)
        return False

    def _take_source(self, row: MailRow, sender: str) -> None:
        if (entry := self._sources.reach(row["src_ip"], lambda: _Source(row))) is not None:
            entry.seen.add(row, int(row["has_message"]))
            entry.senders.add([sender])
            entry.subjects.add([row["subject"]])

    def _take_urls(self, row: MailRow, sender: str, *, again: bool) -> None:
        for url in dict.fromkeys(link["url"] for link in row["urls"]):
            if (entry := self._urls.reach(url, lambda: _Url(row))) is not None:
                entry.seen.add(row, 0 if again else 1)
                entry.senders.add([sender])
                entry.shown.add(link["shown"] for link in row["urls"] if link["url"] == url)

    def _take_delivery(self, row: MailRow, sender: str) -> None:
        if (entry := self._deliveries.reach((sender, row["subject"]), lambda: _Delivery(row))) is None:
            return
        entry.seen.add(row)
        entry.bulk = entry.bulk and bool(row["list_id"] or not row["has_message"])
        entry.urls.add(link["url"] for link in row["urls"])
        entry.attachments.add(file["name"] for file in row["attachments"])
        for to in row["rcpt_to"]:
            address = to["address"].lower()
            entry.recipients.add([address])
            if max(to["code"], row["data_code"]) >= _PERMANENT_OR_LATER:
                entry.refused.add([address])
            elif row["delivered"] > 0 and to["code"]:
                entry.delivered.add([address])

    def senders(self) -> list[dict[str, Any]]:
        """Who sent as whom, the most frequent first."""
        ranked = sorted(self._senders.items(), key=lambda item: (-item[1].seen.count, item[0]))
        outliers = outlying([entry.seen.count for _, entry in ranked])
        return [
            {
                "address": address,
                "messages": entry.seen.count,
                "recipients": len(entry.recipients),
                "sources": list(entry.sources),
                "outlier": place < outliers,
                "spoofed": self._verdicts.is_spoofed(address),
                "envelopes": list(entry.envelopes),
                **entry.seen.document(),
            }
            for place, (address, entry) in enumerate(ranked)
        ]

    def mail_sources(self) -> list[dict[str, Any]]:
        """From which addresses, the most frequent first."""
        ranked = sorted(self._sources.items(), key=lambda item: (-item[1].seen.count, item[0]))
        return [
            {
                "ip": ip,
                "messages": entry.seen.count,
                "senders": list(entry.senders),
                "subjects": list(entry.subjects),
                **entry.seen.document(),
            }
            for ip, entry in ranked
        ]

    def urls(self) -> list[dict[str, Any]]:
        """Which links stood in mails, those first that were followed, then the most frequent."""
        found = [
            {
                "url": url,
                "messages": entry.seen.count,
                "senders": list(entry.senders),
                "clicked_by": self.clicked_by(url),
                "shown": list(entry.shown),
                **entry.seen.document(),
            }
            for url, entry in self._urls.items()
        ]
        return sorted(found, key=lambda row: (-len(row["clicked_by"]), -row["messages"], row["url"]))

    def deliveries(self) -> list[dict[str, Any]]:
        """What was delivered to whom: phishing first, then by the number of its recipients."""
        outliers = {row["address"] for row in self.senders() if row["outlier"]}
        found = [self._delivery(key, entry, outliers) for key, entry in self._deliveries.items()]
        return sorted(found, key=lambda row: (not row["phishing"], -len(row["recipients"]), row["sender"]))

    def _delivery(self, key: tuple[str, str], entry: _Delivery, outliers: AbstractSet[str]) -> dict[str, Any]:
        sender, subject = key
        suspicious = (sender in outliers and not entry.bulk) or self._verdicts.accuse(sender, subject)
        # Who was refused in one attempt and taken in another one has it.
        refused = [address for address in entry.refused if address not in entry.delivered]
        return {
            "sender": sender,
            "subject": subject,
            "recipients": list(entry.recipients),
            "delivered": list(entry.delivered),
            "refused": refused,
            "phishing": bool(suspicious and (entry.urls or entry.attachments)),
            "excerpt": entry.excerpt,
            "urls": list(entry.urls),
            "attachments": list(entry.attachments),
            "clicked_by": sorted({ip for url in entry.urls for ip in self.clicked_by(url)}),
            "message_id": entry.message_id,
            "eml": list(entry.files),
            **entry.seen.document(),
        }


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""
