"""Judges mail: takes what a batch of the core tells of mails and clicks, and adds what there is to say of them."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import cast

from sensor.alerts.rows import JudgedRow
from sensor.alerts.rules import Severity
from sensor.alerts.tally import describe_entry
from sensor.alerts.text import NS_PER_SECOND, counted, escape
from sensor.config import Config
from sensor.engine import Batch
from sensor.mail import campaign
from sensor.mail.campaign import Campaigns
from sensor.mail.clicks import Clicks
from sensor.mail.domains import OwnDomains
from sensor.mail.finding import Finding
from sensor.mail.groups import MOST_SOURCES, many
from sensor.mail.letter import Letter, Origins
from sensor.mail.links import Listed, Lists, listed_links, misleading_link
from sensor.mail.rows import ClickRow, MailRow
from sensor.mail.seen import SeenMails
from sensor.mail.senders import Senders
from sensor.mail.spoof import Pretences

_FORGET_NS = 3600 * NS_PER_SECOND
_MOST_PRETENDERS = 10_000


@dataclass(slots=True)
class _Pretender:
    """How often somebody pretended to be one sender."""

    last_ns: int
    mails: int = 0
    sources: dict[str, None] = field(default_factory=dict)


class MailJudge:
    """One run's memory of mail. Time is the packets'; everything it remembers is bounded."""

    def __init__(self, config: Config) -> None:
        networks, detect = config.networks, config.detect
        self._lists: Lists | None = None
        self._own = OwnDomains(networks.mail_domains)
        self._origins = Origins(networks.internal, networks.mail_servers)
        self._seen = SeenMails()
        self._pretences = Pretences(self._own, detect.mail.trusted_senders)
        self._pretenders: OrderedDict[tuple[str, str], _Pretender] = OrderedDict()
        self._headers: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._campaigns = Campaigns(detect.mail)
        self._ratio = detect.mail.outlier_ratio
        self._clicks = Clicks()
        self._senders = Senders(detect.smtp)

    def use(self, lists: object) -> None:
        """Look up links in these compiled watchlists from now on."""
        self._lists = cast("Lists", lists)

    def take(self, batch: Batch) -> Batch:
        """Give the batch with what there is to say of its mails and clicks."""
        if not (batch.mails or batch.clicks):
            return batch
        rows: list[MailRow | ClickRow] = [*batch.mails, *batch.clicks]
        rows.sort(key=lambda row: row["time_ns"])
        judged: list[JudgedRow] = []
        for row in rows:
            judged += self._clicks.take(row) if "visited_before" in row else self._take_mail(row)
        return replace(batch, judged=[*batch.judged, *judged])

    def _take_mail(self, row: MailRow) -> Iterator[JudgedRow]:
        self._own.learn(row)
        origin = self._origins.of(row)
        if row["protocol"] != "smtp":
            if origin and row["has_message"] and not self._seen.is_known(row):
                yield from self._take_links(Letter(row, origin, ()))
            return
        new = self._seen.new_recipients(row)
        if not new:
            return
        if origin:
            yield from self._take_letter(Letter(row, origin, new, self._known_sender(row, origin)))
        elif not self._origins.is_server(row["src_ip"]):
            self._pretences.learn_colleague(row)
            for finding in self._senders.take(row, new):
                yield finding.row(row)

    def _known_sender(self, row: MailRow, origin: str) -> str:
        """Give who sends with this envelope from there; learn it from a mail that was sent."""
        key = (origin, (row["mail_from"] or "").casefold())
        if row["from_address"]:
            self._headers[key] = row["from_address"]
            self._headers.move_to_end(key)
            if len(self._headers) > _MOST_PRETENDERS:
                self._headers.popitem(last=False)
        return self._headers.get(key, "")

    def _take_letter(self, letter: Letter) -> Iterator[JudgedRow]:
        reasons: dict[str, Severity] = {}
        links = list(self._take_links(letter))
        if links:
            reasons["a watchlist knows the link"] = Severity.HIGH
        pretences = self._pretences.of(letter)
        if pretences:
            reasons["the sender pretends to be inside"] = Severity.HIGH
            yield self._spoofed(letter, pretences).row(letter.row)
        misleading = misleading_link(letter, self._own)
        if misleading:
            reasons["a link shows {} and leads to {}".format(*map(escape, misleading))] = Severity.HIGH
        found = self._campaigns.take(letter, reasons)
        if found is not None:
            yield self._campaign(found).row(letter.row)
            if found.severity <= Severity.MEDIUM:
                yield from self._clicks.accuse(found.group.hosts, letter, found.severity, "the mail is of a campaign")
        yield from links
        for reason, severity in reasons.items():
            yield from self._clicks.accuse(letter.hosts, letter, severity, reason)

    def _take_links(self, letter: Letter) -> Iterator[JudgedRow]:
        """The links of a mail, however it was seen."""
        self._clicks.learn(letter)
        for listed in listed_links(letter.row, self._lists):
            yield _listed(letter, listed).row(letter.row)

    def _campaign(self, found: campaign.Campaign) -> Finding:
        return Finding(
            rule="mail.campaign",
            severity=found.severity,
            host=found.letter.server,
            subject=found.subject,
            text=campaign.describe(found),
            notes=list(campaign.notes(found, self._ratio)),
            remote=found.letter.origin,
            context=campaign.figures(found),
        )

    def _spoofed(self, letter: Letter, pretences: list[tuple[Severity, str]]) -> Finding:
        known = self._pretender(letter)
        sources = many(known.sources, "addresses", MOST_SOURCES)
        return Finding(
            rule="mail.spoofed-sender",
            severity=pretences[0][0],
            host=letter.server,
            subject=letter.sender,
            text=f"{counted(known.mails, 'mail')} as {escape(letter.sender)} from {sources}, outside",
            notes=[f'"{escape(letter.subject)}"', *(reason for _, reason in pretences)],
            remote=letter.origin,
            context={
                "mails": known.mails,
                "sender": letter.sender,
                "envelope": letter.envelope,
                "from_name": letter.row["from_name"],
                "mail_subject": letter.subject,
                "source": letter.origin,
                "reasons": [reason for _, reason in pretences],
            },
        )

    def _pretender(self, letter: Letter) -> _Pretender:
        key = (letter.server, letter.sender)
        known = self._pretenders.pop(key, None)
        if known is None or letter.time_ns - known.last_ns > _FORGET_NS:
            known = _Pretender(letter.time_ns)
        self._pretenders[key] = known
        if len(self._pretenders) > _MOST_PRETENDERS:
            self._pretenders.popitem(last=False)
        known.last_ns = letter.time_ns
        known.mails += 1
        if len(known.sources) < MOST_SOURCES:
            known.sources[letter.origin] = None
        return known


def _listed(letter: Letter, listed: Listed) -> Finding:
    entry = listed.entry
    return Finding(
        rule="mail.watchlisted-url",
        severity=Severity(entry["severity"]),
        host=letter.server if letter.row["protocol"] == "smtp" else letter.row["src_ip"],
        subject=entry["indicator"],
        text=f"{escape(listed.url)} in mail of {escape(letter.sender)} from {letter.origin}",
        notes=[
            describe_entry(entry["metadata"], entry["list"], entry["indicator"], entry["type"]),
            f'"{escape(letter.subject)}"',
        ],
        remote=letter.origin,
        context={
            "url": listed.url,
            "list": entry["list"],
            "indicator": entry["indicator"],
            "sender": letter.sender,
            "mail_subject": letter.subject,
            "message_id": letter.row["message_id"],
        },
    )
