"""The child process of the demo: owns the private network and plays the office into its mirror port.

`python -m sensor.demo.player` says `ready` on standard output once the port is there, begins at the first line on
standard input and ends when standard input closes.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from sensor.demo.namespace import leave_network
from sensor.demo.traffic import office

SWITCH_PORT = "switch0"
MIRROR_PORT = "mirror0"

# Wide enough for full-size frames inside ERSPAN.
_MTU_BYTES = 9216
# Closer together than this, frames are sent without a pause.
_BURST_SECONDS = 0.002
# Further behind than this (the machine slept), the script goes on from now instead of catching up.
_LATE_SECONDS = 1.0


def main() -> int:
    """Makes the network, then plays until standard input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends the child.
    try:
        leave_network()
        make_mirror()
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"failed {_reason(error)}", flush=True)
        return 71
    print("ready", flush=True)
    if sys.stdin.readline():
        _play()
    return 0


def make_mirror() -> None:
    """A cable between `switch0` and `mirror0` in the current namespace, with no chatter of the kernel's own."""
    for family in ("all", "default"):
        Path(f"/proc/sys/net/ipv6/conf/{family}/disable_ipv6").write_text("1")
    _ip("link", "add", SWITCH_PORT, "type", "veth", "peer", "name", MIRROR_PORT)
    for port in (SWITCH_PORT, MIRROR_PORT):
        _ip("link", "set", port, "arp", "off", "multicast", "off", "mtu", str(_MTU_BYTES), "up")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def _reason(error: OSError | subprocess.CalledProcessError) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"{' '.join(error.cmd)}: {error.stderr.strip()}"
    if isinstance(error, FileNotFoundError) and error.filename == "ip":
        return "the command `ip` is missing: install iproute2"
    return str(error)


def _play() -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as port:
        port.bind((SWITCH_PORT, 0))
        begin = time.monotonic()
        for moment, frame in office():
            delay = begin + moment - time.monotonic()
            if delay < -_LATE_SECONDS:
                begin -= delay
            if delay > _BURST_SECONDS and _parent_left(delay):
                return
            port.send(frame)


def _parent_left(wait_seconds: float) -> bool:
    """Waits; whether standard input closed meanwhile."""
    readable, _, _ = select.select([sys.stdin], [], [], wait_seconds)
    return bool(readable) and not os.read(sys.stdin.fileno(), 1)


if __name__ == "__main__":
    sys.exit(main())
