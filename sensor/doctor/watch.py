"""A short run of the engine on a fresh mirror of one interface, that keeps nothing."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sensor.config import Config, engine_settings
from sensor.engine import Counters, Engine
from sensor.sources import LibpcapSources

_POLL_SECONDS = 0.25
# Preamble, check sequence and gap: what each frame takes on the wire beside its captured bytes (IEEE 802.3, 4.4.2).
_WIRE_OVERHEAD_BYTES = 24

KEEPS_NOTHING: Mapping[str, object] = {"pcap_ring.enabled": False, "eve.path": None, "watchlists": []}
"""What a configuration must say for a run that leaves no trace and can stand beside a daemon's."""


def _unjudged() -> Mapping[str, Any]:
    return {"verdict": "ok", "reasons": [], "sources": []}


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen. `mirror` is the core's judgement: `verdict`, `reasons` and `sources`."""

    seconds: float = 0.0
    frames: int = 0
    bytes: int = 0
    kernel_dropped_frames: int = 0
    peak_bits_per_second: float = 0.0
    state: str = "up"
    encapsulations: tuple[str, ...] = ()
    mirror: Mapping[str, Any] = field(default_factory=_unjudged)

    @property
    def wire_bits(self) -> int:
        """What the frames took on the wire."""
        return 8 * (self.bytes + _WIRE_OVERHEAD_BYTES * self.frames)


def watch(
    config: Config, seconds: float, progress: Callable[[Watch], None], make_engine: Callable[..., Engine] = Engine
) -> Watch:
    """Run the engine for `seconds` on the configuration's interface; `progress` is told each second what was seen.

    Raises OSError if the interface cannot be opened, RuntimeError if the engine has died.
    """
    settings = engine_settings(config, "live")
    engine = make_engine(settings)
    sources = LibpcapSources(engine, settings["interfaces"])
    engine.start()
    try:
        sources.start()
        seen = _observe(engine, sources, seconds, progress)
    finally:
        sources.stop()
        engine.stop()
    while not engine.poll(_POLL_SECONDS).ended:
        pass
    return seen


def _observe(engine: Engine, sources: LibpcapSources, seconds: float, progress: Callable[[Watch], None]) -> Watch:
    began = last = time.monotonic()
    seen = Watch()
    while (now := time.monotonic()) < began + seconds:
        sources.check()
        engine.poll(min(_POLL_SECONDS, began + seconds - now))
        if time.monotonic() >= last + 1:
            now = time.monotonic()
            seen, last = _advance(seen, sources.amend(engine.counters()), now - last), now
            progress(seen)
    now = time.monotonic()
    last_part = _advance(seen, sources.amend(engine.counters()), max(now - last, 1.0))
    return replace(last_part, seconds=now - began)


def _advance(before: Watch, counters: Counters, seconds: float) -> Watch:
    interface = counters["interfaces"][0]
    after = Watch(
        seconds=before.seconds + seconds,
        frames=interface["captured_frames"],
        bytes=interface["captured_bytes"],
        kernel_dropped_frames=interface["kernel_dropped_frames"],
        state=interface["state"],
        encapsulations=tuple(row["encapsulation"] for row in counters["encapsulations"] if row["frames"]),
        mirror=counters["mirror"],
    )
    rate = (after.wire_bits - before.wire_bits) / seconds
    return replace(after, peak_bits_per_second=max(rate, before.peak_bits_per_second))
