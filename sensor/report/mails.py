"""Who sent as whom, from where, which links, and what was delivered to whom."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from sensor.mail.rows import MailRow
from sensor.report.bounded import Groups, Members
from sensor.report.finding import Places, Row, Seen

OUTLIER_MESSAGES = 20
"""A sender of fewer messages is no outlier."""

OUTLIER_FACTOR = 10
"""An outlier sends so many times as much as the next."""

_MOST_OUTLIERS = 5
_AGAINST_SENDERS = ("mail.campaign", "mail.spoofed-sender", "mail.watchlisted-url")
_MOST_MESSAGE_IDS = 500_000
_PERMANENT_OR_LATER = 400


def sender_of(row: MailRow) -> str:
    """Give the address that the reader sees as the sender, or that of the envelope."""
    return (row["from_address"] or row["mail_from"] or "").lower()


class _Sender:
    def __init__(self, row: MailRow) -> None:
        self.seen = Seen(row)
        self.recipients, self.sources, self.envelopes = Members(), Members(), Members()
        self.spoofed = False


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
        self.attachments = Members()


class MailSections:
    """Gathers mail transactions; a mail that is relayed, or read by POP3 or IMAP, counts once."""

    def __init__(self, places: Places) -> None:
        """Nothing has been sent."""
        self._places = places
        self._alerted: set[str] = set()
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

    def take(self, rows: Iterable[MailRow]) -> None:
        """Take transactions; what was read is no new mail."""
        for row in rows:
            if row["protocol"] == "smtp" and (row["has_message"] or row["rcpt_to"]):
                self._places.want(row["flow_id"])
                self._take(row)

    def take_clicks(self, rows: Iterable[Row]) -> None:
        """Take who asked for the host of a link, see `sensor.mail.rows`."""
        for row in rows:
            self._clicks.reach((row["src_ip"], row["host"].lower()), lambda row=row: row["protocol"])  # type: ignore[misc]

    def clicked_by(self, url: str) -> list[str]:
        """Give who inside asked for the link's host."""
        host = _host(url)
        return sorted({source for source, asked in self._clicks if asked == host})

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
            entry.spoofed |= _is_spoofed(row, sender, recipients)
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
        entry.urls.add(link["url"] for link in row["urls"])
        entry.attachments.add(file["name"] for file in row["attachments"])
        for to in row["rcpt_to"]:
            address = to["address"].lower()
            entry.recipients.add([address])
            if max(to["code"], row["data_code"]) >= _PERMANENT_OR_LATER:
                entry.refused.add([address])
            elif row["delivered"] > 0 and to["code"]:
                entry.delivered.add([address])

    def use_alerts(self, alerts: Iterable[Mapping[str, Any]]) -> None:
        """Take the incidents into account that tell of senders: what raised an alert is phishing here, too."""
        for alert in alerts:
            if alert["rule"] in _AGAINST_SENDERS and alert["severity"] != "low":
                self._alerted.add(alert["indicator"].lower())

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
                "spoofed": entry.spoofed,
                "envelopes": list(entry.envelopes),
                **entry.seen.document(self._places),
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
                **entry.seen.document(self._places),
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
                **entry.seen.document(self._places),
            }
            for url, entry in self._urls.items()
        ]
        return sorted(found, key=lambda row: (-len(row["clicked_by"]), -row["messages"], row["url"]))

    def deliveries(self) -> list[dict[str, Any]]:
        """What was delivered to whom: phishing first, then by the number of its recipients."""
        senders = {row["address"]: row for row in self.senders()}
        found = [self._delivery(key, entry, senders) for key, entry in self._deliveries.items()]
        return sorted(found, key=lambda row: (not row["phishing"], -len(row["recipients"]), row["sender"]))

    def _delivery(
        self, key: tuple[str, str], entry: _Delivery, senders: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, Any]:
        sender, subject = key
        judged = senders.get(sender, {})
        suspicious = judged.get("spoofed") or judged.get("outlier") or sender in self._alerted
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
            **entry.seen.document(self._places),
        }


def outlying(messages: list[int]) -> int:
    """Give how many of the most frequent senders stand out: at most five that send ten times as much as the next."""
    for place in range(min(len(messages), _MOST_OUTLIERS), 0, -1):
        rest = messages[place] if place < len(messages) else 0
        if rest and messages[place - 1] >= max(OUTLIER_MESSAGES, OUTLIER_FACTOR * rest):
            return place
    return 0


def _is_spoofed(row: MailRow, sender: str, recipients: list[str]) -> bool:
    """Whether a mail that comes from outside says that it is from the domain that it is for."""
    domain = sender.rpartition("@")[2]
    inside = {address.rpartition("@")[2] for address in recipients}
    return bool(domain) and domain in inside and not row["src_internal"] and row["dest_internal"]


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"//{url}").hostname or "").lower()
    except ValueError:
        return ""
