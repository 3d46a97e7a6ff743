"""Writes history without end, to be killed: `python -m tests.unit.history.endless DIRECTORY FIRST`.

Prints the number of the next flow record each time that all before are written. Each hour has a few batches.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sensor.engine import Batch
from sensor.history.store import FLUSH_SECONDS, History
from sensor.history.tree import HOUR_NS
from sensor.identity.naming import Identities
from tests.unit.history.samples import NOON, flow_batch, settings

_BATCH = 20
_BATCHES_AN_HOUR = 5


def main() -> None:
    root, number = Path(sys.argv[1]), int(sys.argv[2])
    now = 0.0
    history = History(settings(root), Identities(10), monotonic=lambda: now)
    history.scan()
    while True:
        hour = NOON + number // (_BATCH * _BATCHES_AN_HOUR)
        history.take(Batch(hour * HOUR_NS + HOUR_NS // 2))
        now += FLUSH_SECONDS
        history.take_records([("flow", flow_batch(_BATCH, hour, number))])
        number += _BATCH
        print(number, flush=True)


if __name__ == "__main__":
    main()
