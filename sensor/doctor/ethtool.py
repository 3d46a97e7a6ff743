"""What ethtool(8) says of a network card: its text for people, read line by line.

Where the tool is missing, or the driver does not answer a question, there is nothing to be read: that is no fault.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, field

_ADMIN_DIRECTORIES = "/usr/local/sbin:/usr/sbin:/sbin"
_TIMEOUT_SECONDS = 5.0
_LONGEST_ANSWER = 1_000_000


@dataclass(frozen=True, slots=True)
class Feature:
    """An offload: `fixed` is one that the driver does not let anybody change."""

    on: bool
    fixed: bool


@dataclass(frozen=True, slots=True)
class Card:
    """Settings of one card. A number is None where the driver does not say."""

    installed: bool = True
    features: dict[str, Feature] = field(default_factory=dict)
    rx_ring_slots: int | None = None
    rx_ring_slots_max: int | None = None
    sends_pause: bool = False
    statistics: dict[str, int] = field(default_factory=dict)


def read_card(interface: str) -> Card:
    """Ask ethtool, where it is installed, in the caller's network namespace."""
    tool = shutil.which("ethtool", path=f"{os.environ.get('PATH', os.defpath)}:{_ADMIN_DIRECTORIES}")
    if tool is None:
        return Card(installed=False)
    current, largest = parse_rings(_answer(tool, "-g", interface))
    return Card(
        features=parse_features(_answer(tool, "-k", interface)),
        rx_ring_slots=current,
        rx_ring_slots_max=largest,
        sends_pause=parse_pause(_answer(tool, "-a", interface)),
        statistics=parse_statistics(_answer(tool, "-S", interface)),
    )


def parse_features(text: str) -> dict[str, Feature]:
    """Read `ethtool -k`."""
    features = {}
    for name, value in _pairs(text):
        state, *remarks = value.split() or [""]
        if state in ("on", "off"):
            features[name] = Feature(state == "on", "[fixed]" in remarks)
    return features


def parse_rings(text: str) -> tuple[int | None, int | None]:
    """Read `ethtool -g`: the receive ring's slots now, and at most."""
    largest, current = [
        next((int(value) for name, value in _pairs(part) if name == "RX" and _is_number(value)), None)
        for part in _halves(text, "Current hardware settings:")
    ]
    return current, largest


def parse_pause(text: str) -> bool:
    """Read `ethtool -a`: whether the card sends pause frames when it is too slow."""
    return any((name, value) == ("TX", "on") for name, value in _pairs(text))


def parse_statistics(text: str) -> dict[str, int]:
    """Read `ethtool -S`; the names are the driver's own."""
    return {name: int(value) for name, value in _pairs(text) if _is_number(value)}


def _answer(tool: str, question: str, interface: str) -> str:
    try:
        done = subprocess.run(
            [tool, question, interface],
            check=False, capture_output=True, text=True, errors="replace", timeout=_TIMEOUT_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout[:_LONGEST_ANSWER] if done.returncode == 0 else ""


def _pairs(text: str) -> list[tuple[str, str]]:
    split = (line.partition(":") for line in text.splitlines())
    return [(name.strip(), value.strip()) for name, _, value in split]


def _halves(text: str, divider: str) -> tuple[str, str]:
    first, _, second = text.partition(divider)
    return first, second


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
