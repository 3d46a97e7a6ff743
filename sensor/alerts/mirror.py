"""What the core says of the mirror, in an operator's words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sensor.alerts.incident import Condition
from sensor.alerts.rows import MirrorRow
from sensor.alerts.text import counted, size

_KINDS = {"exact": "exact", "routed": "routed", "vlan": "of another VLAN", "both_directions": "of two mirrored ports"}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks against the mirror; `figures` are the numbers in `text`."""

    rule: str
    source: str
    text: str
    blind: bool
    figures: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.rule} {self.source}: {self.text}"

    def describe(self) -> dict[str, Any]:
        """Give it as the API shows it."""
        return {
            "rule": self.rule,
            "source": self.source,
            "text": self.text,
            "blind": self.blind,
            "figures": dict(self.figures),
        }


def reason_of(row: Mapping[str, Any]) -> Reason:
    """Put a reason of the core into words."""
    figures = row["figures"]
    return Reason(row["rule"], row["source"], _TEXTS[row["rule"]](figures), row["blind"], figures)


def condition_of(row: MirrorRow) -> Condition:
    """Make the condition that opens, repeats or closes an incident."""
    return Condition(row["rule"], row["source"], reason_of(row).text, over=row["over"])


def _one_sided(figures: Mapping[str, Any]) -> str:
    flows = counted(figures["tcp_flows"], "TCP connection")
    return f"{figures['one_sided_flows']:,} of {flows} show one direction only"


def _duplicates(figures: Mapping[str, Any]) -> str:
    kinds = [f"{figures[kind]:,} {words}" for kind, words in _KINDS.items() if figures[kind]]
    copies = sum(figures[kind] for kind in _KINDS)
    return f"{copies:,} of {counted(figures['frames'], 'frame')} are copies: {', '.join(kinds)}"


def _truncated(figures: Mapping[str, Any]) -> str:
    return f"{figures['truncated_frames']:,} of {counted(figures['frames'], 'frame')} are cut short"


def _loss(figures: Mapping[str, Any]) -> str:
    parts = []
    if "sequence_lost_frames" in figures:
        lost = counted(figures["sequence_lost_frames"], "mirrored frame")
        parts.append(f"{lost} lost on the way ({figures['lost_share']:.1%})")
    if "tcp_unseen_bytes" in figures:
        unseen = size(figures["tcp_unseen_bytes"])
        parts.append(f"{unseen} of TCP acknowledged but never seen ({figures['unseen_share']:.1%})")
    return ", ".join(parts)


def _degraded(figures: Mapping[str, Any]) -> str:
    parts = []
    if "merged_frames" in figures:
        parts.append(f"{counted(figures['merged_frames'], 'frame')} larger than any wire carries")
    if "flooded_frames" in figures:
        parts.append(f"only broadcast and multicast in {counted(figures['flooded_frames'], 'frame')}")
    if "full_seconds" in figures:
        parts.append(f"the mirror port was full in {figures['full_seconds']} of the last 60 seconds")
    if "missing_vlans" in figures:
        parts.append(f"nothing of VLAN {', '.join(map(str, figures['missing_vlans']))} in the last minute")
    if "missing_subnets" in figures:
        parts.append(f"nothing of {', '.join(figures['missing_subnets'])} in the last minute")
    return ", ".join(parts)


_TEXTS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "mirror.one-sided": _one_sided,
    "mirror.duplicates": _duplicates,
    "mirror.truncated": _truncated,
    "mirror.loss": _loss,
    "mirror.degraded": _degraded,
}
