"""Processes that work beside the capture: they give way to it in time, and when memory is out."""

import os
import sys
from pathlib import Path

_LOWEST_PRIORITY = 19
_FIRST_VICTIM = "1000"


def give_way() -> None:
    """Let everything else on the machine go first. What the system refuses is told on standard error."""
    try:
        os.nice(_LOWEST_PRIORITY)
        Path("/proc/self/oom_score_adj").write_text(_FIRST_VICTIM, encoding="ascii")
    except OSError as error:
        print(f"the process cannot give way: {error}", file=sys.stderr)
