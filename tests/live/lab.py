"""A private network whose cable stands in for a mirror port, and what is sent into it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from itertools import count
from pathlib import Path
from typing import TypeVar

from sensor.demo.namespace import entered

MTU_BYTES = 9216
# A user without privilege who still may read the tree that is tested, wherever it lies.
WITHOUT_CAPABILITIES = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
CAP_NET_RAW_ALONE = ("setpriv", "--bounding-set=-all,+net_raw", "--inh-caps=-all,+net_raw", "--no-new-privs")

Value = TypeVar("Value")

_number = count(1)


class Lab:
    """A network namespace with the cable `switch0` <-> `mirror0`; nothing but the test speaks in it."""

    def __init__(self) -> None:
        self.name = f"spanwatch-{os.getpid()}-{next(_number)}"
        self.path = Path("/run/netns") / self.name
        _run("ip", "netns", "add", self.name)
        for family in ("all", "default"):
            self.run("sysctl", "-qw", f"net.ipv6.conf.{family}.disable_ipv6=1")
        self.ip("link", "set", "lo", "up")
        self.add_cable("switch0", "mirror0")

    def close(self) -> None:
        """Removes the namespace, with all that is in it."""
        _run("ip", "netns", "delete", self.name)

    def add_cable(self, switch: str, mirror: str) -> None:
        """A veth pair without offloads, checksums completed by the sender."""
        self.ip("link", "add", switch, "type", "veth", "peer", "name", mirror)
        for port in (switch, mirror):
            self.run("ethtool", "-K", port, "tx", "off", "gro", "off", "gso", "off", "tso", "off")
            self.ip("link", "set", port, "arp", "off", "multicast", "off", "mtu", str(MTU_BYTES), "up")

    def ip(self, *arguments: str) -> None:
        """`ip` inside the namespace."""
        _run("ip", "-n", self.name, *arguments)

    def inside(self, *command: str) -> list[str]:
        """The command line that runs `command` inside the namespace."""
        return ["ip", "netns", "exec", self.name, *command]

    def run(self, *command: str) -> str:
        """Runs `command` inside the namespace; its standard output."""
        return _run(*self.inside(*command))

    def port(self, name: str = "switch0") -> socket.socket:
        """A raw socket on one end of a cable."""
        with entered(self.path):
            port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
        port.bind((name, 0))
        return port

    def send(self, frames: Iterable[bytes], port: str = "switch0") -> int:
        """Sends `frames` at a pace that a sensor on a busy machine follows; returns how many."""
        sent = 0
        with self.port(port) as cable:
            for sent, frame in enumerate(frames, start=1):
                cable.send(frame)
                if sent % 64 == 0:
                    time.sleep(0.002)
        return sent

    def replay(self, capture: Path, *options: str, port: str = "switch0") -> str:
        """Sends a capture file with tcpreplay; returns its report."""
        return self.run("tcpreplay", "-q", *options, "-i", port, str(capture))


def until(what: str, condition: Callable[[], Value], timeout_seconds: float = 20) -> Value:
    """Waits until `condition` gives something true and returns it; fails the test saying `what` was awaited."""
    deadline = time.monotonic() + timeout_seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_seconds:g} s in vain: {what}")
        time.sleep(0.02)
    return value


def fill(path: Path) -> None:
    """Takes all space that the file system of `path` has left."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


def _run(*command: str) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout
