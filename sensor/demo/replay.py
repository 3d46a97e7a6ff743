"""Reads the demo's office from a capture file, for where no private network can be made."""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from sensor.alerts.incident import Event
from sensor.alerts.log import format_line
from sensor.demo.outcome import Outcome
from sensor.demo.pcap_file import write_pcap
from sensor.demo.stage import Stage
from sensor.demo.traffic import office
from sensor.engine import Counters
from sensor.frames import Reading
from sensor.offline import Listeners, analyse, prepare
from sensor.reload import ListLoader

# Long enough for both culprits, quick to generate.
_USUAL_SECONDS = 30.0


def show_capture(stage: Stage, seconds: float | None) -> Outcome:
    """Writes `seconds` of the office's traffic (30 if None) to a capture, reads it and prints what was found.

    Raises:
        OSError: the capture could not be written or read.
    """
    capture = stage.directory / "office.pcap"
    _generate(capture, _USUAL_SECONDS if seconds is None else seconds)
    outcome = Outcome()

    def show(event: Event) -> None:
        outcome.take(event)
        print(format_line(event), flush=True)

    prepare(stage.config, anew=False)
    reading, listeners = Reading([str(capture)]), Listeners(on_event=show)
    counters, _, _ = analyse(stage.config, reading, lambda: ListLoader()(stage.config).compiled, listeners)
    print(_figures(counters))
    return outcome


def _generate(capture: Path, seconds: float) -> None:
    begin_ns = time.time_ns() - int(seconds * 1e9)
    script = itertools.takewhile(lambda step: step[0] < seconds, office())
    write_pcap(capture, ((begin_ns + int(moment * 1e9), frame) for moment, frame in script))


def _figures(counters: Counters) -> str:
    frames = sum(interface["captured_frames"] for interface in counters["interfaces"])
    segments = counters["ring"]["segments"] if counters["ring"] else 0
    return f"{frames:,} frames, {counters['hosts']['active']} hosts, {segments} ring files"
