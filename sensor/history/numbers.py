"""What the history counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HistoryNumbers:
    """What is counted: records written by kind, bytes of all files, and when the oldest hour begins."""

    written: Mapping[str, int] = field(default_factory=dict)
    bytes: int = 0
    oldest_ns: int | None = None
    deletions: int = 0
    failed_compactions: int = 0
