from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sensor.alerts.incident import Event
from sensor.alerts.mirror import reason_of
from sensor.alerts.policy import Policy
from sensor.engine import Batch

if TYPE_CHECKING:
    from sensor.alerts.rows import MirrorRow

START = 1_795_000_000 * 10**9


def change(*, over: bool) -> MirrorRow:
    figures = {"tcp_flows": 120, "one_sided_flows": 118, "share": 0.983}
    return {
        "time_ns": START,
        "rule": "mirror.one-sided",
        "source": "eth1",
        "over": over,
        "blind": True,
        "figures": figures,
    }


def test_a_change_opens_and_closes_one_incident_at_packet_time() -> None:
    policy = Policy(rows_tell_time=True)
    batches = [Batch(START, conditions=[change(over=over)]) for over in (False, False, True)]
    events = [item for batch in batches for item in policy.take(batch) if isinstance(item, Event)]
    assert [(event.kind, event.rule, event.time_ns) for event in events] == [
        ("OPEN", "mirror.one-sided", START),
        ("CLOSE", "mirror.one-sided", START),
    ]
    assert events[0].groups == ("eth1", "118 of 120 TCP connections show one direction only")


@pytest.mark.parametrize(
    ("rule", "figures", "text"),
    [
        (
            "mirror.duplicates",
            {"frames": 1000, "share": 0.5, "exact": 400, "routed": 0, "vlan": 100, "both_directions": 0},
            "500 of 1,000 frames are copies: 400 exact, 100 of another VLAN",
        ),
        ("mirror.truncated", {"frames": 20, "truncated_frames": 20, "share": 1.0}, "20 of 20 frames are cut short"),
        (
            "mirror.loss",
            {"sequence_lost_frames": 12, "lost_share": 0.25, "tcp_unseen_bytes": 12_000, "unseen_share": 0.5},
            "12 mirrored frames lost on the way (25.0%), 12 kB of TCP acknowledged but never seen (50.0%)",
        ),
        ("mirror.degraded", {"merged_frames": 7}, "7 frames larger than any wire carries"),
        ("mirror.degraded", {"flooded_frames": 120}, "only broadcast and multicast in 120 frames"),
        ("mirror.degraded", {"full_seconds": 4}, "the mirror port was full in 4 of the last 60 seconds"),
        (
            "mirror.degraded",
            {"missing_vlans": [20, 30], "missing_subnets": ["10.1.0.0/16"]},
            "nothing of VLAN 20, 30 in the last minute, nothing of 10.1.0.0/16 in the last minute",
        ),
    ],
)
def test_figures_become_a_sentence(rule: str, figures: dict[str, Any], text: str) -> None:
    assert reason_of({"rule": rule, "source": "eth1", "blind": False, "figures": figures}).text == text
