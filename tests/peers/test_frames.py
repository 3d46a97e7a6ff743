"""The frames that `read --app -w` writes are those of tshark's conversations."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.traffic import tshark

pytestmark = pytest.mark.peers

CAPTURES = [
    ("arkime__smtp-zip.pcap", "smtp"),
    ("arkime__smtp-originating.pcap", "smtp"),
    ("ndpi__smtp-starttls.pcap", "smtp"),
    ("ndpi__pop3.pcap", "pop"),
    ("ndpi__imap.pcap", "imap"),
    ("ndpi__http_ipv6.pcap", "tls"),
    ("ndpi__http-lines-split.pcap", "http"),
]
NAMES = {"pop": "pop3"}


@pytest.mark.parametrize(("name", "protocol"), CAPTURES)
def test_the_frames_are_those_of_the_conversations(
    spanwatch: Path, corpus: Path, tmp_path: Path, name: str, protocol: str
) -> None:
    capture = corpus / "pcap" / name
    streams = set(_column(capture, "tcp.stream", protocol))
    assert streams
    wanted = " || ".join(f"tcp.stream == {stream}" for stream in sorted(streams))
    out = tmp_path / "out.pcap"
    command = [str(spanwatch), "read", "--app", NAMES.get(protocol, protocol), "-w", str(out), str(capture)]
    subprocess.run(command, check=True, capture_output=True)
    fields = "frame.time_epoch"
    assert _column(out, fields) == _column(capture, fields, wanted)
    assert _column(out, "frame.len") == _column(capture, "frame.len", wanted)


def _column(capture: Path, field: str, display_filter: str = "frame") -> list[str]:
    return tshark.run(capture, "-Y", display_filter, "-T", "fields", "-e", field).split()
