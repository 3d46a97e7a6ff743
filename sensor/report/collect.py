"""The report as data: gathered while the files are read, put together at their end."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sensor.engine import Batch, Counters
from sensor.report.accounts import AccountSection
from sensor.report.alerts import AlertSection
from sensor.report.attackers import AttackerSection
from sensor.report.attacks import AttackSection
from sensor.report.letters import MailFiles
from sensor.report.mails import MailSections
from sensor.report.traffic import conversations, hosts, timeline


class Report:
    """Takes all that a run tells, in bounded memory; `document` is the report once it has finished."""

    TOP = 1000
    """Conversations and hosts that it lists."""

    def __init__(self, directory: Path | None = None) -> None:
        """Nothing has been read. Messages are written to `directory`/mail. Raises OSError."""
        self._files = None if directory is None else MailFiles(directory)
        self._mails = MailSections(self._files)
        self._alerts = AlertSection()
        self._attacks = AttackSection()
        self._accounts = AccountSection()
        self._attackers = AttackerSection()
        self.document: dict[str, Any] = {}

    def take(self, batch: Batch) -> None:
        """Take what was read of mails, logins, clicks and attacks, and what was judged of it. Raises OSError."""
        web: Sequence[Any] = batch.web
        self._mails.take(batch.mails, batch.raw_mails)
        self._mails.take_judged(batch.judged)
        self._alerts.take(batch)
        self._mails.take_clicks(batch.clicks)
        self._accounts.take(batch.logins)
        self._attacks.take(web)
        self._attackers.take_mails(batch.mails)
        self._attackers.take_logins(batch.logins)
        self._attackers.take_web(web)

    def finish(
        self,
        counters: Counters,
        traffic: Mapping[str, Any],
        machines: Sequence[Mapping[str, Any]],
        alerts: Sequence[Mapping[str, Any]],
    ) -> None:
        """Put the report together; `traffic` is what `Engine` added up, `alerts` are incidents as the API has them."""
        senders, deliveries = self._mails.senders(), self._mails.deliveries()
        attacks, accounts = self._attacks.attacks(), self._accounts.accounts()
        self.document = {
            "senders": senders,
            "mail_sources": self._mails.mail_sources(),
            "urls": self._mails.urls(),
            "deliveries": deliveries,
            "attacks": attacks,
            "attackers": self._attackers.attackers(_suspects(senders, deliveries, attacks, accounts)),
            "accounts": accounts,
            "hosts": hosts(traffic["hosts"], machines),
            "conversations": conversations(traffic["conversations"]),
            "protocols": traffic["protocols"],
            "timeline": timeline(traffic["timeline"]),
            "alerts": self._alerts.alerts(alerts),
            "not_understood": self._not_understood(counters, traffic["left_out"]),
            "mirror": dict(counters["mirror"]),
        }

    def _not_understood(self, counters: Counters, conversations_left_out: int) -> list[dict[str, Any]]:
        rows = [
            {"what": "frame", "layer": row["layer"], "reason": row["error"], "count": row["frames"]}
            for row in counters["decode_errors"]
        ]
        rows += [
            {"what": "conversation", "layer": row["app_proto"], "reason": row["error"], "count": row["errors"]}
            for row in counters["names"]["errors"]
        ]
        rows += [
            {"what": "flow", "layer": row["app_proto"], "reason": "protocol not recognised", "count": row["flows"]}
            for row in counters["names"]["flows"]
            if row["app_proto"] == "unknown"
        ]
        parts = (self._mails, self._alerts, self._attacks, self._accounts, self._attackers)
        left_out = conversations_left_out + sum(part.left_out for part in parts)
        rows.append({"what": "report", "layer": "report", "reason": "no room for more rows", "count": left_out})
        if self._files is not None:
            reason = "not written to mail/: no room for more"
            rows.append({"what": "message", "layer": "report", "reason": reason, "count": self._files.left_out})
        rows += [
            {"what": "file", "layer": "file", "reason": reason, "count": 1} for reason in counters.get("warnings", [])
        ]
        return sorted((row for row in rows if row["count"]), key=lambda row: -row["count"])


def _suspects(
    senders: Sequence[Mapping[str, Any]],
    deliveries: Sequence[Mapping[str, Any]],
    attacks: Sequence[Mapping[str, Any]],
    accounts: Sequence[Mapping[str, Any]],
) -> dict[str, str]:
    """Give who attacks, and why it is thought so, the gravest reason first."""
    suspects: dict[str, str] = {}
    for row in sorted(attacks, key=lambda row: -row["succeeded"]):
        done = "attacked successfully" if row["succeeded"] else "attacked"
        suspects.setdefault(row["source"], f"{done}: {row['category']}")
    phishing = {row["sender"] for row in deliveries if row["phishing"]}
    for row in senders:
        if row["spoofed"] or row["address"] in phishing:
            for source in row["sources"]:
                suspects.setdefault(source, f"sent as {row['address']}")
    for row in accounts:
        if row["attempts"] >= _GUESSES:
            suspects.setdefault(row["source"], f"tried the account {row['user']} {row['attempts']} times")
    return suspects


_GUESSES = 10
"""So many attempts on one account from one address are guessing, whether or not they succeeded."""
