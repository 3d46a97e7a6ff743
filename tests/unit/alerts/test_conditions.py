from __future__ import annotations

from typing import Any

from sensor.alerts.conditions import Conditions, Verdict, problems, stale_conditions
from sensor.alerts.incident import Condition
from tests.unit.samples import counters, interface


def active(conditions: list[Condition]) -> list[tuple[str, str, str, int]]:
    found = [condition for condition in conditions if not condition.over]
    return [(condition.rule, condition.subject, condition.text, condition.count) for condition in found]


def fates(**changes: int) -> dict[str, Any]:
    return {**counters()["fates"], **changes}


def started() -> Conditions:
    conditions = Conditions(60.0, 0.0)
    assert not active(conditions.observe(counters(), 1.0))
    return conditions


def test_losses_are_told_as_what_came_since_the_last_look() -> None:
    conditions = started()
    lossy = counters(
        interfaces=interface(kernel_dropped_frames=7, captured_frames=200),
        fates=fates(dropped_slow=3, dropped_full=2),
        analysis={**counters()["analysis"], "table_full": 4},
        hosts={"active": 3, "max": 100, "evicted": 9},
        flows={"active": 5, "max": 1000, "ended": {"evicted": 6}},
    )
    assert active(conditions.observe(lossy, 2.0)) == [
        ("sensor.kernel-drops", "eth1", "frames dropped by the kernel", 7),
        ("sensor.ring-loss", "ring", "frames not stored", 5),
        ("sensor.table-full", "flows", "flows given up early", 6),
        ("sensor.table-full", "frames", "frames without a flow", 4),
        ("sensor.table-full", "hosts", "hosts given up early", 9),
    ]
    assert not active(conditions.observe(lossy, 3.0))


def test_the_reason_of_a_ring_loss_is_told() -> None:
    conditions = started()
    ring = {**(counters()["ring"] or {}), "error": "No space left on device"}
    told = active(conditions.observe(counters(fates=fates(dropped_full=1), ring=ring), 2.0))
    assert told == [("sensor.ring-loss", "ring", "frames not stored: No space left on device", 1)]


def test_losses_degrade_the_mirror_for_a_minute() -> None:
    conditions = started()
    lossy = counters(interfaces=interface(kernel_dropped_frames=7))
    conditions.observe(lossy, 2.0)
    assert conditions.health(2.0).verdict is Verdict.DEGRADED
    assert [reason.rule for reason in conditions.health(2.0).reasons] == ["sensor.kernel-drops"]
    conditions.observe(counters(interfaces=interface(kernel_dropped_frames=7, captured_frames=300)), 63.0)
    assert conditions.health(63.0).verdict is Verdict.OK


def test_silence_blinds_and_a_frame_heals() -> None:
    conditions = started()
    assert not active(conditions.observe(counters(), 60.9))
    assert active(conditions.observe(counters(), 61.0)) == [("mirror.silent", "eth1", "shows no frame for 60 s", 0)]
    assert conditions.health(61.0).verdict is Verdict.BLIND
    healed = conditions.observe(counters(interfaces=interface(captured_frames=101)), 62.0)
    assert [condition.over for condition in healed if condition.rule == "mirror.silent"] == [True]
    assert conditions.health(62.0).verdict is Verdict.OK


def test_a_mirror_that_never_showed_a_frame_is_silent_too() -> None:
    conditions = Conditions(60.0, 0.0)
    never = counters(interfaces=interface(captured_frames=0))
    conditions.observe(never, 1.0)
    assert active(conditions.observe(never, 60.0)) == [("mirror.silent", "eth1", "shows no frame for 60 s", 0)]


def test_an_interface_that_is_down_or_gone_is_silent_at_once() -> None:
    conditions = started()
    down = conditions.observe(counters(interfaces=interface(state="down")), 2.0)
    assert active(down) == [("mirror.silent", "eth1", "is down", 0)]
    gone = conditions.observe(counters(interfaces=interface(state="waiting", reason="no such device")), 3.0)
    assert active(gone) == [("mirror.silent", "eth1", "is waiting: no such device", 0)]


def test_one_silent_interface_of_two_degrades() -> None:
    conditions = Conditions(60.0, 0.0)
    two = [*interface(), *interface(name="eth2", state="down")]
    conditions.observe(counters(interfaces=two), 1.0)
    assert conditions.health(1.0).verdict is Verdict.DEGRADED
    assert [str(reason) for reason in conditions.health(1.0).reasons] == ["mirror.silent eth2: is down"]


def test_a_heartbeat_tells_the_figures_since_the_last_one() -> None:
    conditions = Conditions(60.0, 0.0)
    conditions.observe(counters(interfaces=interface(captured_frames=6000)), 60.0)
    assert conditions.heartbeat(60.0).heartbeat() == (
        "mirror ok",
        "6,000 frames/min, 0 dropped, ring reaches back 31 h",
    )
    lossy = interface(captured_frames=6100, kernel_dropped_frames=3)
    conditions.observe(counters(interfaces=lossy, ring=None, fates=fates(dropped_slow=2)), 90.0)
    assert conditions.heartbeat(90.0).heartbeat() == (
        (
            "mirror degraded: sensor.kernel-drops eth1: frames dropped by the kernel, "
            "sensor.ring-loss ring: frames not stored"
        ),
        "200 frames/min, 5 dropped",
    )


def mirror(verdict: str, *, blind: bool = False) -> dict[str, Any]:
    figures = {"tcp_flows": 120, "one_sided_flows": 118, "share": 0.983}
    reason = {"rule": "mirror.one-sided", "source": "eth1", "blind": blind, "figures": figures}
    return {"verdict": verdict, "reasons": [reason], "sources": []}


def test_what_the_core_judges_is_told_with_its_figures() -> None:
    conditions = started()
    conditions.observe(counters(mirror=mirror("degraded")), 2.0)
    assert conditions.heartbeat(2.0).heartbeat()[0] == (
        "mirror degraded: mirror.one-sided eth1: 118 of 120 TCP connections show one direction only"
    )
    conditions.observe(counters(mirror=mirror("blind", blind=True)), 3.0)
    health = conditions.health(3.0)
    assert health.verdict is Verdict.BLIND
    assert health.reasons[0].describe()["figures"]["one_sided_flows"] == 118
    conditions.observe(counters(), 4.0)
    assert conditions.health(4.0).verdict is Verdict.OK


def test_lists_are_stale_until_they_are_not() -> None:
    stale = stale_conditions([("feodo", "empty")], ["feodo", "mine"])
    assert [(item.subject, item.text, item.over) for item in stale] == [
        ("feodo", "empty", False),
        ("mine", "read again", True),
    ]


def test_problems_name_every_trouble() -> None:
    conditions = started()
    conditions.observe(counters(interfaces=interface(state="down")), 2.0)
    sinks = [{"sink": "eve", "written": 0, "dropped": 1, "error": "No space left on device"}]
    ring = {**(counters()["ring"] or {}), "error": "Input/output error"}
    assert problems(counters(sinks=sinks, ring=ring), conditions.health(2.0)) == [
        "mirror blind: mirror.silent eth1: is down",
        "ring: Input/output error",
        "eve: No space left on device",
    ]
    assert problems(counters(), started().health(1.0)) == []
