from __future__ import annotations

from typing import Any

import pytest

from sensor import sources
from sensor.capture.libpcap import LibpcapStatistics
from sensor.sources import LibpcapSources
from tests.unit.samples import FakeEngine, counters, interface


class FakeSource:
    made: list[Any] = []  # noqa: RUF012

    def __init__(self, settings: Any, hand_in: Any) -> None:
        self.settings, self.hand_in, self.running = settings, hand_in, False
        self.made.append(self)

    def start(self) -> None:
        if self.settings["name"] == "bad0":
            raise OSError("bad0: no such interface")
        self.running = True

    def stop(self) -> None:
        self.running = False

    def check(self) -> None:
        if self.settings["name"] == "dead0":
            raise OSError("dead0: capture ended")

    def stats(self) -> LibpcapStatistics:
        return LibpcapStatistics("up", 50, 3, 4)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(FakeSource, "made", [])
    monkeypatch.setattr(sources, "LibpcapSource", FakeSource)
    return FakeSource.made


def settings(*names: str) -> Any:
    return [{"name": name, "backend": "afpacket" if name.startswith("af") else "libpcap"} for name in names]


def test_only_libpcap_interfaces_get_a_source_and_hand_in_under_their_own_number(made: list[Any]) -> None:
    engine: Any = FakeEngine()
    found = LibpcapSources(engine, settings("af0", "lp0"))
    found.start()
    assert [source.settings["name"] for source in made] == ["lp0"]
    made[0].hand_in([(1, b"x")])
    assert engine.calls == ["hand_in 1 1"]
    found.stop()
    assert not made[0].running


@pytest.mark.usefixtures("made")
def test_their_numbers_join_the_counters() -> None:
    engine: Any = FakeEngine()
    two = counters(interfaces=[*interface(name="af0"), *interface(name="lp0", state="waiting")])
    amended = LibpcapSources(engine, settings("af0", "lp0")).amend(two)["interfaces"]
    assert (amended[0]["state"], amended[0]["kernel_packets"]) == ("up", 100)
    assert (amended[1]["state"], amended[1]["kernel_packets"], amended[1]["kernel_dropped_frames"]) == ("up", 50, 7)


def test_if_one_cannot_start_none_runs(made: list[Any]) -> None:
    engine: Any = FakeEngine()
    with pytest.raises(OSError, match="bad0"):
        LibpcapSources(engine, settings("lp0", "bad0")).start()
    assert not any(source.running for source in made)


@pytest.mark.usefixtures("made")
def test_a_dead_source_is_told() -> None:
    engine: Any = FakeEngine()
    with pytest.raises(OSError, match="dead0"):
        LibpcapSources(engine, settings("dead0")).check()
