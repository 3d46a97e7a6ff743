"""The short run: what it asks of the engine, and what it makes of the counters."""

from __future__ import annotations

from typing import Any

import pytest

from sensor.config import Config, load
from sensor.doctor.watch import KEEPS_NOTHING, Watch, watch
from sensor.engine import Batch
from tests.unit.samples import counters


class FakeEngine:
    """Counts its calls; its counters are those of the samples, with what a test adds."""

    def __init__(self, settings: dict[str, Any], extra: dict[str, Any], broken: bool = False) -> None:
        self.settings, self.extra, self.broken = settings, extra, broken
        self.calls: list[str] = []

    def start(self) -> None:
        self.calls.append("start")

    def poll(self, _timeout_seconds: float) -> Batch:
        if self.broken:
            raise RuntimeError("worker 0 has died")
        return Batch(0, ended="stop" in self.calls)

    def counters(self) -> Any:
        return {**counters(), **self.extra}

    def stop(self) -> None:
        self.calls.append("stop")


def run(extra: dict[str, Any] | None = None, broken: bool = False) -> tuple[Watch, FakeEngine]:
    made: list[FakeEngine] = []

    def make(settings: dict[str, Any]) -> Any:
        made.append(FakeEngine(settings, extra or {}, broken))
        return made[0]

    try:
        return watch(configuration(), 0.01, lambda _: None, make), made[0]
    finally:
        assert made[0].calls == ["start", "stop"]


def configuration() -> Config:
    return load(None, {"capture.interfaces": ["eth1"], **KEEPS_NOTHING}, live=True)


def test_nothing_is_kept() -> None:
    _, engine = run()
    assert engine.settings["pcap_ring"] is None
    assert engine.settings["eve"] is None
    assert configuration().watchlists == ()


def test_the_interfaces_numbers_are_taken_and_the_wire_counts_more_than_the_frames() -> None:
    seen, _ = run()
    assert (seen.frames, seen.bytes, seen.state, seen.encapsulations) == (100, 38_000, "up", ("vlan",))
    assert seen.peak_bits_per_second == seen.wire_bits == 8 * (38_000 + 100 * 24)
    assert seen.mirror["verdict"] == "ok"


def test_the_cores_judgement_of_the_mirror_is_handed_on() -> None:
    mirror = {"verdict": "degraded", "reasons": [], "sources": []}
    assert run({"mirror": mirror})[0].mirror == mirror


def test_an_engine_that_dies_is_stopped() -> None:
    with pytest.raises(RuntimeError, match="worker 0 has died"):
        run(broken=True)
