"""Hunts as tests start them."""

from pathlib import Path
from typing import Any

from sensor.config import Config
from sensor.hunt.hunt import Hunt, Places
from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from sensor.identity.ends import Ends

ENDS = Ends(Config().networks.internal)


def hunt(root: Path, *words: str, window: Window | None = None, ring: Path | None = None) -> list[dict[str, Any]]:
    """Hunt for words; what is noted fails the test."""
    wanted = WantedSet()
    wanted.add_words(words)
    assert not wanted.refused
    return hunt_for(root, wanted, window=window, ring=ring)


def hunt_for(
    root: Path,
    wanted: WantedSet,
    *,
    window: Window | None = None,
    ring: Path | None = None,
    notes: list[str] | None = None,
) -> list[dict[str, Any]]:
    """Hunt for anything; notes fail the test unless somebody takes them."""
    told: list[str] = []
    found = Hunt(Places(root, ring, None), ENDS, told.append).run(wanted, window or Window())
    if notes is None:
        assert not told
    else:
        notes += told
    return [sighting.describe() for sighting in found]
