"""`mail.campaign`: one sender, one text or one subject to many mailboxes, and a sender far ahead of all others."""

from collections.abc import Iterator
from typing import NamedTuple

from sensor.alerts.rules import Severity
from sensor.alerts.text import NS_PER_SECOND, counted, escape, span
from sensor.config.detection import Mail
from sensor.mail.groups import MOST_RECIPIENTS, MOST_SOURCES, Group, Groups, many
from sensor.mail.letter import Letter
from sensor.mail.wording import bare_subject

_FEWEST_OTHERS = 3
_OUTLIER_EVERY = 10
_MANY_SENDERS = 3
_REFUSED_SHARE = 0.1
_FEWEST_REFUSED = 3
_EXAMPLES = 3


class Campaign(NamedTuple):
    """A mail that belongs to a campaign: what its mails have in common, what it is called, and what is known of it.

    `by` is `sender`, `text` or `subject`.
    """

    by: str
    subject: str
    group: Group
    severity: Severity
    letter: Letter


class Campaigns:
    """Counts mails from outside by sender, by text and by subject."""

    def __init__(self, config: Mail) -> None:
        self._config = config
        half_ns = int(config.campaign_window * NS_PER_SECOND / 2)
        self._kinds = {kind: Groups(half_ns) for kind in ("sender", "text", "subject")}

    def take(self, letter: Letter, reasons: dict[str, Severity]) -> Campaign | None:
        """Count a mail; give the campaign that it belongs to. `reasons` are what speaks against this mail alone."""
        keys = {"sender": letter.sender, "text": letter.text_key, "subject": letter.subject_key}
        groups = {kind: self._kinds[kind].add(key, letter) for kind, key in keys.items() if key}
        for group in groups.values():
            group.reasons.update(reasons)
        # One that was told goes on under its name, else the sender says most.
        for kind, group in sorted(groups.items(), key=lambda item: not item[1].announced):
            outlier = kind == "sender" and self._is_outlier(letter.sender, group)
            if group.announced or outlier or group.recipients >= self._config.campaign_recipients:
                group.announce()
                return Campaign(kind, _name(kind, letter), group, _severity(group), letter)
        return None

    def _is_outlier(self, sender: str, group: Group) -> bool:
        config = self._config
        if group.messages < config.outlier_mails or group.messages % _OUTLIER_EVERY:
            return False
        following = self._kinds["sender"].next_largest(sender, _FEWEST_OTHERS)
        outlier = following is not None and group.messages >= config.outlier_ratio * max(following, 1)
        if outlier:
            severity = Severity.LOW if group.bulk else _severity_of_outlier(group, config.campaign_recipients)
            group.reasons[_OUTLIER] = severity
        return outlier


_OUTLIER = "outlier"


def _severity_of_outlier(group: Group, many_recipients: int) -> Severity:
    """What a service tells the same few people all day is no attack."""
    return Severity.HIGH if group.recipients >= many_recipients else Severity.LOW


def _name(kind: str, letter: Letter) -> str:
    return letter.sender if kind == "sender" else f'"{bare_subject(letter.subject)}"'


def _severity(group: Group) -> Severity:
    """High if something speaks against the mails, low if nothing leads out of them or they say that they are bulk."""
    whole = group.young
    if not group.bulk:
        if whole.refused >= max(_FEWEST_REFUSED, _REFUSED_SHARE * len(whole.recipients)):
            group.reasons["many recipients are unknown here"] = Severity.HIGH
        if len(whole.senders) >= _MANY_SENDERS:
            group.reasons["senders take turns"] = Severity.HIGH
    plain = Severity.MEDIUM if group.linked and not group.bulk else Severity.LOW
    return min([plain, *group.reasons.values()])


def describe(campaign: Campaign) -> str:
    """Give the figures as of now."""
    whole = campaign.group.young
    recipients = counted(len(whole.recipients), "recipient")
    if len(whole.recipients) >= MOST_RECIPIENTS:
        recipients = f"more than {recipients}"
    refused = f" ({whole.refused:,} refused)" if whole.refused else ""
    sources = many(whole.sources, "addresses", MOST_SOURCES)
    seconds = (campaign.letter.time_ns - whole.since_ns) / NS_PER_SECOND
    name = escape(campaign.subject)
    return f"{name}: {counted(whole.messages, 'mail')} to {recipients}{refused} from {sources} in {span(seconds)}"


def notes(campaign: Campaign, ratio: int) -> Iterator[str]:
    """Give what a reader of the first line wants to know: subject, examples, link, and why it matters."""
    letter, whole = campaign.letter, campaign.group.young
    if campaign.group.subject:
        yield f'"{escape(campaign.group.subject)}"'
    if len(whole.senders) > 1:
        yield f"as {many(whole.senders, 'senders', MOST_SOURCES)}, such as {escape(letter.sender)}"
    yield "to " + ", ".join(map(escape, list(whole.recipients)[:_EXAMPLES]))
    if campaign.group.url:
        yield f"link {escape(campaign.group.url)}"
    for reason in campaign.group.reasons:
        yield f"at least {ratio} times as frequent as any other sender" if reason == _OUTLIER else reason
    if campaign.group.bulk:
        yield "declares itself a mailing list"


def figures(campaign: Campaign) -> dict[str, object]:
    """Give the same for programs."""
    whole = campaign.group.young
    return {
        "by": campaign.by,
        "messages": whole.messages,
        "recipients": len(whole.recipients),
        "refused": whole.refused,
        "senders": list(whole.senders)[:_EXAMPLES],
        "sources": list(whole.sources)[:_EXAMPLES],
        "mail_subject": campaign.group.subject,
        "urls": [campaign.group.url] if campaign.group.url else [],
        "reasons": ["outlier" if reason == _OUTLIER else reason for reason in campaign.group.reasons],
    }
