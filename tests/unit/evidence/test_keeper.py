"""Who hears of incidents and has their packets cut."""

from __future__ import annotations

import time
from typing import Any

from sensor.alerts.incident import Event
from sensor.alerts.policy import Policy
from sensor.config import Config
from sensor.engine import Batch
from sensor.evidence.keeper import EvidenceKeeper
from sensor.evidence.waiting import MOST_WAITING
from tests.unit.evidence.conftest import C2, HOST, SECOND, START, until
from tests.unit.samples import counters, finding, hit


def events(policy: Policy, *rows: Any) -> list[Event]:
    hits = [row for row in rows if "flow_id" in row]
    findings = [row for row in rows if "flow_id" not in row]
    last_ns = max(row["time_ns"] for row in rows)
    return [output for output in policy.take(Batch(last_ns, hits, findings)) if isinstance(output, Event)]


def test_an_incident_of_the_past_is_cut_at_once_and_told(config: Config) -> None:
    keeper = EvidenceKeeper(config)
    told: list[tuple[str, str]] = []
    (opened,) = events(Policy(), hit(START + 50 * SECOND, src_ip=HOST, dest_ip=C2))
    keeper.start(lambda incident, name: told.append((incident, name)))
    keeper.take(opened)
    keeper.note(counters())
    until(lambda: keeper.numbers().cut)
    keeper.close()
    assert told == [(opened.incident, f"{opened.incident}.pcap")]
    numbers = keeper.numbers()
    assert (numbers.cut, numbers.captures, numbers.waiting, set(numbers.missed.values())) == (1, 1, 0, {0})
    assert numbers.bytes == sum(path.stat().st_size for path in config.evidence.directory.iterdir())


def test_nothing_is_cut_before_all_is_there(config: Config) -> None:
    keeper = EvidenceKeeper(config)
    told: list[str] = []
    (past,) = events(Policy(), hit(START + 50 * SECOND, src_ip=HOST, dest_ip=C2, severity=3))
    (now,) = events(Policy(), hit(time.time_ns(), severity=1))
    for opened in (past, now):
        keeper.take(opened)
    keeper.start(lambda incident, _: told.append(incident))
    keeper.note(counters())
    until(lambda: told)
    keeper.close()
    numbers = keeper.numbers()
    assert (told, numbers.waiting, set(numbers.missed.values())) == ([past.incident], 1, {0})


def test_a_burst_is_bounded_and_counted(config: Config) -> None:
    keeper = EvidenceKeeper(config)
    policy, now = Policy(), time.time_ns()
    for opened in events(
        policy, *(finding(now, host=f"10.1.{number // 250}.{number % 250}") for number in range(1000))
    ):
        keeper.take(opened)
    numbers = keeper.numbers()
    assert (numbers.waiting, numbers.missed["queue_full"]) == (MOST_WAITING, 1000 - MOST_WAITING)


def test_what_a_capture_holds_stands_in_the_close_line_the_view_and_the_state() -> None:
    policy = Policy()
    (opened,) = events(policy, hit(START))
    assert [event.incident for event in policy.without_evidence()] == [opened.incident]
    before = policy.revision
    policy.attach(opened.incident, f"{opened.incident}.pcap")
    assert policy.revision > before
    assert policy.describe()[0]["evidence"] == [f"{opened.incident}.pcap"]
    assert policy.without_evidence() == []
    restored = Policy()
    restored.restore(policy.document())
    (close,) = restored.tick(START + 7200 * SECOND)
    assert isinstance(close, Event)
    assert close.groups[-1].endswith(f"; evidence {opened.incident}.pcap")


def test_a_remote_is_named_only_where_it_is_one_address() -> None:
    def remote(row: Any) -> str:
        return events(Policy(), row)[0].remote

    assert remote(hit()) == C2
    assert remote(hit(type="domain", indicator="c2.example", observed="c2.example", observed_in="dns")) == ""
    assert remote(finding()) == ""
