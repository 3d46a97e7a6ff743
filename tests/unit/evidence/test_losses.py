"""What was lost when."""

from __future__ import annotations

from typing import Any

from sensor.evidence.losses import Losses, Lost

SECOND = 1_000_000_000


def counters(kernel: int, ring: int) -> Any:
    fates = {"dropped_slow": ring, "dropped_full": 0, "dropped_error": 0}
    return {"ring": None, "fates": fates, "interfaces": [{"kernel_dropped_frames": kernel}]}


def test_only_what_was_lost_within_the_time_counts() -> None:
    losses = Losses()
    assert losses.between(0, 100) is None
    for second, kernel, ring in ((10, 5, 0), (11, 5, 0), (20, 7, 0), (30, 7, 100), (40, 9, 100)):
        losses.note(counters(kernel, ring), second * SECOND)
    for since, until, kernel, ring in ((15, 25, 2, 0), (15, 35, 2, 100), (0, 60, 4, 100), (31, 38, 0, 0)):
        assert losses.between(since * SECOND, until * SECOND) == Lost(kernel, ring, 10 * SECOND), (since, until)


def test_what_is_lost_at_the_end_and_counted_a_second_later_counts() -> None:
    losses = Losses()
    losses.note(counters(0, 0), 10 * SECOND)
    losses.note(counters(3, 0), 21 * SECOND)
    lost = losses.between(11 * SECOND, 20 * SECOND)
    assert lost is not None
    assert lost.kernel_frames == 3
