"""What a batch of the core holds for the alert policy, and the order in which it is taken."""

from collections.abc import Sequence
from typing import Protocol

from sensor.alerts.beacon import remote_end
from sensor.alerts.rows import BeaconRow, FindingRow, HitRow, JudgedRow, MirrorRow

_EVENT_ORDER = {"open": 0, "progress": 1, "end": 2}

Row = HitRow | FindingRow | BeaconRow | JudgedRow


class RowsUntil(Protocol):
    """What a batch of the core holds for the policy: rows, and the packet time that everything has passed."""

    @property
    def time_ns(self) -> int:
        """Packet time, 0 before the first frame."""

    @property
    def hits(self) -> Sequence[HitRow]:
        """Watchlist hits."""

    @property
    def findings(self) -> Sequence[FindingRow]:
        """Hosts over a threshold."""

    @property
    def beacons(self) -> Sequence[BeaconRow]:
        """Hosts that call a remote end at a machine's pace."""

    @property
    def judged(self) -> Sequence[JudgedRow]:
        """What was judged of what conversations said."""

    @property
    def conditions(self) -> Sequence[MirrorRow]:
        """What has become wrong or well with the mirror."""


def row_order(row: Row) -> tuple[int, int, int, str]:
    """Give the place of a row among others: by time, of one moment hits by flow and event, then what was judged."""
    if "flow_id" in row:
        return (row["time_ns"], row["flow_id"], _EVENT_ORDER[row["event"]], "")
    if "notes" in row:
        # What is judged of the same moment stays in the order of the judges.
        return (row["time_ns"], 1 << 64, 0, "")
    remote = remote_end(row) if "remote" in row else ""
    return (row["time_ns"], 1 << 64, 0, row["rule"] + row["host"] + remote)
