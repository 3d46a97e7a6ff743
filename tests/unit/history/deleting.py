"""Deletes all hours but the newest, to be killed meanwhile: `python -m tests.unit.history.deleting DIRECTORY`.

Prints a line before it begins, and then never ends by itself.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from sensor.history.inventory import Inventory
from tests.unit.history.samples import settings


def main() -> None:
    inventory = Inventory(settings(Path(sys.argv[1]), max_size=1))
    inventory.scan()
    print("deleting", flush=True)
    inventory.tidy()
    signal.pause()


if __name__ == "__main__":
    main()
