"""Rules of web attacks that are put in force while an engine exists."""

from pathlib import Path

from sensor._native import WebRules
from sensor.config import engine_settings, load
from sensor.engine import Engine
from sensor.web.rules import compiled_rules
from tests.traffic.build import Conversation, Endpoint, write_pcap

RULE = "- {name: own, category: web.sqli, weakness: ours, where: [query], pattern: secret-word}\n"


def found(capture: Path, rules: "WebRules | None") -> list[str]:
    engine = Engine(engine_settings(load(None, {"eve.path": None}), "read", [str(capture)]))
    if rules is not None:
        engine.replace_web_rules(rules)
    engine.start()
    names: list[str] = []
    ended = False
    while not ended:
        batch = engine.poll(1)
        names += [row["rule"] for row in batch.web]
        ended = batch.ended
    engine.stop()
    return names


def test_requests_meet_the_rules_that_were_put_in_force(tmp_path: Path) -> None:
    client, server = Endpoint("02:00:00:00:00:01", "192.0.2.9", 40_000), Endpoint("02:00:00:00:00:02", "10.0.0.5", 80)
    talk = Conversation(client, server)
    asked = talk.send(b"GET /?a=secret-word HTTP/1.1\r\nHost: h\r\n\r\n", from_client=True)
    answered = talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", from_client=False)
    frames = [*talk.open(), *asked, *answered, *talk.close()]
    write_pcap(tmp_path / "a.pcap", [(1_700_000_000 * 10**9 + n, frame) for n, frame in enumerate(frames)])
    (tmp_path / "own.yaml").write_text(RULE)
    assert found(tmp_path / "a.pcap", None) == []
    assert found(tmp_path / "a.pcap", compiled_rules([tmp_path / "own.yaml"])) == ["own"]
