"""Memory that goes back to the system."""

import subprocess
import sys

# Beside each large block stands a small one that stays, as in a run.
_ROUNDS = """
from pathlib import Path
from sensor.allocator import return_large_blocks

def resident_kib():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0])

assert return_large_blocks()
before, kept = resident_kib(), []
for size in (16, 15, 14, 13):
    large = bytearray(size << 20)
    kept.append(bytearray(100_000))
    del large
print(resident_kib() - before)
"""


def test_large_blocks_leave_no_holes() -> None:
    found = subprocess.run([sys.executable, "-c", _ROUNDS], check=True, capture_output=True, text=True)
    assert int(found.stdout) < 4 * 1024
