"""Injections from packets to judgement: what the answers' delays and lengths prove."""

import gzip
from pathlib import Path
from urllib.parse import quote

import pytest

from sensor.config import engine_settings, load
from sensor.config.detection import Web
from sensor.engine import Engine
from sensor.report.attacks import AttackSection
from sensor.web.injection import CONDITION_EVIDENCE, WAIT_EVIDENCE
from sensor.web.judge import WebJudge
from tests.traffic.build import Conversation, Endpoint, write_pcap

SECOND = 10**9
START = 1_700_000_000 * SECOND
ATTACKER, VISITOR = "192.0.2.9", "192.0.2.77"

Asked = tuple[str, str, float, int]
"""Who asks with which value of `id`, and after how many seconds how many bytes come back."""


def frames(asked: list[Asked]) -> list[tuple[int, bytes]]:
    """One connection a request, twenty seconds apart; pages repeat the value, every other one compressed."""
    stamped = []
    for number, (source, value, delay, length) in enumerate(asked):
        talk = Conversation(
            Endpoint("02:00:00:00:00:01", source, 40_000 + number), Endpoint("02:00:00:00:00:02", "10.0.0.5", 80)
        )
        asking = talk.send(f"GET /item?id={quote(value)} HTTP/1.1\r\nHost: h\r\n\r\n".encode(), from_client=True)
        page = value.encode() * 2 + b"x" * length
        body, coding = (gzip.compress(page), "gzip") if number % 2 else (page, "identity")
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        answer = talk.send(head + body, from_client=False)
        begun = START + number * 20 * SECOND
        answered = begun + int(delay * SECOND)
        stamped += [(begun, frame) for frame in [*talk.open(), *asking]]
        stamped += [(answered, frame) for frame in [*answer, *talk.close()]]
    return stamped


def attacks(files: list[Path]) -> dict[str, tuple[int, list[str]]]:
    """By weakness: how many requests succeeded, and why."""
    engine = Engine(engine_settings(load(None, {"eve.path": None}), "read", [str(file) for file in files]))
    judge, section = WebJudge(Web(), lambda *_: None), AttackSection()
    engine.start()
    ended = False
    while not ended:
        batch = judge.take(engine.poll(1))
        section.take(batch.web)
        ended = batch.ended
    engine.stop()
    return {row["weakness"]: (row["succeeded"], row["evidence"]) for row in section.attacks()}


WAITS: list[Asked] = [
    (VISITOR, "1", 0.02, 500),
    (VISITOR, "2", 0.03, 500),
    (ATTACKER, "1 and sleep(5)", 5.01, 500),
    (ATTACKER, "1 and sleep(0)", 0.01, 500),
    (ATTACKER, "1 and sleep(9)", 9.01, 500),
]
PAGES: list[Asked] = [
    (ATTACKER, "1 and 1=1", 0.01, 900),
    (ATTACKER, "1 and 1=2", 0.01, 300),
    (ATTACKER, "1 and 7=7", 0.01, 900),
    (ATTACKER, "1 and 7=8", 0.01, 300),
]


@pytest.mark.parametrize("files", [1, 3])
def test_waits_and_pages_prove_injections_also_over_several_files(tmp_path: Path, files: int) -> None:
    packets = frames([*WAITS, *PAGES])
    paths = [tmp_path / f"{number}.pcap" for number in range(files)]
    size = -(-len(packets) // files)
    for number, path in enumerate(paths):
        write_pcap(path, packets[number * size : (number + 1) * size])
    found = attacks(paths)
    assert found["SQL injection that makes the database wait"] == (2, [WAIT_EVIDENCE])
    assert found["SQL injection by a condition that is always true"] == (4, [CONDITION_EVIDENCE])


def test_a_path_that_is_always_slow_proves_nothing(tmp_path: Path) -> None:
    slow = [(source, value, max(delay, 4.0), length) for source, value, delay, length in WAITS]
    write_pcap(tmp_path / "a.pcap", frames(slow))
    assert attacks([tmp_path / "a.pcap"])["SQL injection that makes the database wait"] == (0, [])
