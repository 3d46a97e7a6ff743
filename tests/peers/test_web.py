"""Real attacks on web servers must be found, and nothing in captures of ordinary HTTP."""

import os
from pathlib import Path

import pytest

from sensor import offline
from sensor.alerts.incident import Event, Kind
from sensor.config import load
from sensor.frames import Reading
from sensor.reload import ListLoader

CORPUS = os.environ.get("SPANWATCH_CORPUS", "")
pytestmark = pytest.mark.skipif(not CORPUS, reason="SPANWATCH_CORPUS names no captures")

EVERYWHERE = {"eve.path": None, "alerts.log": None, "networks.internal": ["0.0.0.0/0", "::/0"], "watchlists": []}


def raised(capture: str) -> set[str]:
    """Give the rules of the incidents in a capture."""
    config = load(None, EVERYWHERE)
    events: list[Event] = []
    reading, listeners = Reading([str(Path(CORPUS, "pcap", capture))]), offline.Listeners(on_event=events.append)
    offline.analyse(config, reading, lambda: ListLoader()(config).compiled, listeners)
    return {event.rule for event in events if event.kind is Kind.OPEN}


@pytest.mark.parametrize(
    ("capture", "rules"),
    [
        ("ndpi__WebattackSQLinj.pcap", {"web.sqli"}),
        ("ndpi__sql_injection.pcap", {"web.sqli"}),
        ("ndpi__log4j-webapp-exploit.pcap", {"web.command-injection"}),
        ("ndpi__WebattackRCE.pcap", {"web.command-injection", "web.traversal", "web.webshell", "web.scanner"}),
        ("ndpi__http_ipv6.pcap", set()),
        ("ndpi__http-lines-split.pcap", set()),
        ("scapy__http_chunk.pcap", set()),
        ("ndpi__http2.pcapng", set()),
    ],
)
def test_attacks_are_found_and_ordinary_requests_are_none(capture: str, rules: set[str]) -> None:
    assert {rule for rule in raised(capture) if rule.startswith("web.")} == rules
