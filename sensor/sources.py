"""Interfaces that the core does not capture itself: a libpcap source each, whose numbers join the core's."""

from collections.abc import Sequence
from functools import partial

from sensor.capture.libpcap import LibpcapSource
from sensor.config import InterfaceSettings
from sensor.engine import Counters, Engine


class LibpcapSources:
    """All libpcap sources of an engine."""

    def __init__(self, engine: Engine, interfaces: Sequence[InterfaceSettings]) -> None:
        self._sources = {
            index: LibpcapSource(settings, partial(engine.hand_in, index))
            for index, settings in enumerate(interfaces)
            if settings["backend"] == "libpcap"
        }

    def start(self) -> None:
        """Open all, in the caller's network namespace; OSError, and then none is left open."""
        try:
            for source in self._sources.values():
                source.start()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop all; the last frames are handed in."""
        for source in self._sources.values():
            source.stop()

    def check(self) -> None:
        """Raise OSError if a source has died."""
        for source in self._sources.values():
            source.check()

    def amend(self, counters: Counters) -> Counters:
        """Put into the core's counters what only libpcap knows: its state, packets and drops."""
        for index, source in self._sources.items():
            statistics = source.stats()
            interface = counters["interfaces"][index]
            interface["state"] = statistics.state
            interface["kernel_packets"] = statistics.received_frames
            interface["kernel_dropped_frames"] = statistics.dropped_frames + statistics.interface_dropped_frames
        return counters
