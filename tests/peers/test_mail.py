"""Mail that is read from real captures is what tshark reads."""

from __future__ import annotations

import json
import re
import subprocess
from email.utils import getaddresses
from pathlib import Path
from typing import Any

import pytest

from tests.peers.read import read
from tests.traffic import tshark

pytestmark = pytest.mark.peers

CAPTURES = [
    "arkime__smtp-data-521.pcap",
    "arkime__smtp-originating.pcap",
    "arkime__smtp-rcpt-553.pcap",
    "arkime__smtp-subject-8859-q.pcap",
    "arkime__smtp-subject-utf8-mixed.pcap",
    "arkime__smtp-zip.pcap",
    "mercury__smtp.pcap",
    "ndpi__imap.pcap",
    "ndpi__pop3.pcap",
    "ndpi__smtp.pcap",
]


@pytest.mark.parametrize("name", CAPTURES)
def test_envelopes_and_headers(corpus: Path, spanwatch: Path, tmp_path: Path, name: str) -> None:
    said = json.loads((corpus / "oracle" / f"{name}.oracle.json").read_text())["app"]
    result = read(
        spanwatch, tmp_path / "out", [corpus / "pcap" / name], eve={"types": ["smtp", "pop3", "imap"]},
        pcap_ring={"enabled": False},
    )  # fmt: skip
    smtp = [event["smtp"] for event in result.eve if event["event_type"] == "smtp"]
    assert {event["mail_from"] for event in smtp} == paths(said.get("smtp_mail_from"))
    assert {path for event in smtp for path in event["rcpt_to"]} == paths(said.get("smtp_rcpt_to"))
    mails = [event["email"] for event in result.eve if "email" in event]
    assert {addresses([mail["from"]]) for mail in mails if "from" in mail} == {
        addresses([one]) for one in said.get("imf_from", {})
    }
    assert {mail["message_id"] for mail in mails if "message_id" in mail} == {
        one.strip("<>") for one in said.get("imf_message_id", {})
    }
    decoded = said.get("imf_subject_rfc2047_decoded", {})
    subjects = {plain(decoded.get(raw, raw)) for raw in said.get("imf_subject_raw", {})}
    assert {plain(mail["subject"]) for mail in mails if "subject" in mail} == subjects


def test_who_logs_in_and_who_is_refused(corpus: Path, spanwatch: Path, tmp_path: Path) -> None:
    captures = [corpus / "pcap" / name for name in ("arkime__smtp-data-521.pcap", "arkime__smtp-rcpt-553.pcap")]
    result = read(spanwatch, tmp_path / "out", captures, eve={"types": ["smtp"]}, pcap_ring={"enabled": False})
    refused: list[Any] = [event["spanwatch"] for event in result.eve if event["event_type"] == "smtp"]
    assert [(one["status"], one.get("data_code", one["recipients"][0]["code"])) for one in refused] == [
        ("refused", 521),
        ("refused", 553),
    ]
    assert refused[0]["user"] == "123456789@aol.com"


def paths(told: dict[str, int] | None) -> set[str]:
    """Without the parameters that tshark leaves beside a path."""
    return {path.split()[0] for path in told or {}}


def addresses(fields: list[str]) -> frozenset[str]:
    return frozenset(address for _, address in getaddresses(fields))


def plain(text: str) -> str:
    """Blanks where a long field was folded are a matter of taste."""
    return re.sub(r"\s+", " ", text).strip()


# Of a mail that is read by POP3 tshark exports each segment.
@pytest.mark.parametrize("name", [name for name in CAPTURES if "pop3" not in name])
def test_messages_are_written_as_tshark_exports_them(corpus: Path, spanwatch: Path, tmp_path: Path, name: str) -> None:
    capture, exported = corpus / "pcap" / name, tmp_path / "exported"
    exported.mkdir()
    tshark.run(capture, "-q", "-o", "tcp.desegment_tcp_streams:TRUE", "--export-objects", f"imf,{exported}")
    command = [str(spanwatch), "read", "--report", "-o", str(tmp_path), str(capture)]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    report = json.loads((tmp_path / "report.json").read_text())
    written = sorted(path.read_bytes() for path in tmp_path.glob("mail/*.eml"))
    expected = sorted(path.read_bytes() for path in exported.iterdir())
    assert len(written) == len(expected)
    # The end of the last line is the message's (RFC 5321, 4.1.1.4); tshark drops it where it comes with the dot.
    assert all(own in (other, other + b"\r\n") for own, other in zip(written, expected, strict=True))
    linked = [file for row in report["deliveries"] for file in row["eml"]]
    assert all((tmp_path / file).is_file() for file in linked)
