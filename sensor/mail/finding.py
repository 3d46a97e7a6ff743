"""A judgement of a mail, or of a click, as a row for the alert policy."""

from dataclasses import dataclass, field
from typing import Any

from sensor.alerts.rows import FlowReference, JudgedRow
from sensor.alerts.rules import Severity
from sensor.mail.rows import ClickRow, MailRow


@dataclass(frozen=True)
class Finding:
    """What a judge says; `notes` and `text` are for people and hold nothing foreign that is not escaped."""

    rule: str
    severity: Severity
    host: str
    subject: str
    text: str
    notes: list[str] = field(default_factory=list)
    remote: str = ""
    context: dict[str, Any] = field(default_factory=dict)

    def row(self, source: MailRow | ClickRow) -> JudgedRow:
        """Give it with the connection that it rests on."""
        flow: FlowReference = {
            "flow_id": source["flow_id"],
            "community_id": source["community_id"],
            "start_ns": source["start_ns"],
            "frame": source["frame"],
            "src_ip": source["src_ip"],
            "src_port": source["src_port"],
            "dest_ip": source["dest_ip"],
            "dest_port": source["dest_port"],
            "proto": "UDP" if source["protocol"] == "quic" or source["dest_port"] == _DNS else "TCP",
            "app_proto": source["protocol"],
        }
        return {
            "time_ns": source["time_ns"],
            "rule": self.rule,
            "severity": int(self.severity),
            "host": self.host,
            "remote": self.remote,
            "subject": self.subject,
            "count": 1,
            "text": self.text,
            "notes": self.notes,
            "mac": source["src_mac"] if self.host == source["src_ip"] else source["dest_mac"],
            "vlan": source["vlan"],
            "in_iface": source["in_iface"],
            "flow": flow,
            "context": self.context,
        }


_DNS = 53
