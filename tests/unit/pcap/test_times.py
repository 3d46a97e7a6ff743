"""Times as people write them."""

import time
from collections.abc import Iterator

import pytest

from sensor.pcap.times import moment_ns

SECOND = 1_000_000_000
# 2026-11-22T07:46:05Z
NOW = 1_795_333_565 * SECOND


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", 0),
        ("2h", -7200),
        ("90s", -90),
        ("15:46:05", 0),
        ("15:46", -5),
        ("2026-11-22T15:46:05", 0),
        ("2026-11-22 15:46:05", 0),
        ("2026-11-22T07:46:05Z", 0),
        ("2026-11-22T08:46:05+01:00", 0),
        ("08:46:05+01:00", 0),
        ("2026-11-22", -15 * 3600 - 46 * 60 - 5),
    ],
)
def test_moments(text: str, seconds: int) -> None:
    assert moment_ns(text, NOW) == NOW + seconds * SECOND


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "2026-13-01", "1:2:3:4", "2x", "::"])
def test_what_is_no_time_is_refused_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="write 2h"):
        moment_ns(text, NOW)
