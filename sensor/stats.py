"""The `stats` event of the event log: all counters at one moment, in EVE's names where it has them."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any

from sensor.alerts.text import utc_stamp
from sensor.config import Config
from sensor.engine import Counters

_INTERVAL_SECONDS = 60.0


def encode_stats(counters: Counters, sensor_name: str, time_ns: int) -> str:
    """Give the event as one JSON line without its end; `time_ns` is its timestamp in nanoseconds since 1970."""
    interfaces, analysis = counters["interfaces"], counters["analysis"]
    event: dict[str, Any] = {
        "timestamp": utc_stamp(time_ns),
        "event_type": "stats",
        "host": sensor_name,
        "stats": {
            "capture": {
                "kernel_packets": sum(interface["kernel_packets"] for interface in interfaces),
                "kernel_drops": sum(interface["kernel_dropped_frames"] for interface in interfaces),
            },
            "decoder": {
                "pkts": sum(interface["captured_frames"] for interface in interfaces),
                "bytes": sum(interface["captured_bytes"] for interface in interfaces),
                "invalid": analysis["undecodable"],
            },
            "flow": {"active": counters["flows"]["active"], "end": counters["flows"]["ended"]},
        },
        "spanwatch": {
            "fates": counters["fates"],
            "analysis": analysis,
            "ring_in_flight_frames": counters["ring_in_flight_frames"],
            "ring_cut_bytes": counters["ring_cut_bytes"],
            "decode_errors": [row for row in counters["decode_errors"] if row["frames"]],
            "encapsulations": [row for row in counters["encapsulations"] if row["frames"]],
            "hosts": counters["hosts"],
            "mirror": counters["mirror"],
            "sinks": counters["sinks"],
        },
    }
    return json.dumps(event, separators=(",", ":"))


class StatsLog:
    """Writes stats events: live once a minute through the core, and a last one when the core has closed its log."""

    def __init__(self, config: Config, log_event: Callable[[str], None]) -> None:
        self._path = config.eve.path if "stats" in config.eve.types else None
        self._sensor_name = config.sensor.name or socket.gethostname()
        self._log_event = log_event
        self._due_at = time.monotonic() + _INTERVAL_SECONDS

    def each_second(self, counters: Counters) -> None:
        """Write an event if one is due."""
        now = time.monotonic()
        if self._path is not None and now >= self._due_at:
            self._due_at = now + _INTERVAL_SECONDS
            self._log_event(encode_stats(counters, self._sensor_name, time.time_ns()))

    def close(self, counters: Counters) -> None:
        """Append the final numbers at packet time, after the core has ended. Raises OSError."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(encode_stats(counters, self._sensor_name, counters["time_ns"]) + "\n")
