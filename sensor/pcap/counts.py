"""What the running daemon has counted on its interfaces."""

import time
from datetime import datetime
from pathlib import Path

from sensor.alerts.text import NS_PER_SECOND
from sensor.api.client import NoAnswerError, RefusedError, ask
from sensor.pcap.search import InterfaceCounts


def counts_of_daemon(socket: Path | None) -> list[InterfaceCounts]:
    """Ask the daemon at a socket; nothing if none answers, as the packets do not depend on it."""
    if socket is None:
        return []
    try:
        status = ask(socket, "status")
        since_ns = round(datetime.fromisoformat(status["started"]).timestamp()) * NS_PER_SECOND
    except (NoAnswerError, RefusedError):
        return []
    until_ns = time.time_ns()
    return [
        InterfaceCounts(
            interface=row["name"],
            since_ns=since_ns,
            until_ns=until_ns,
            received=row["kernel_packets"],
            dropped=row["kernel_dropped_frames"],
        )
        for row in status["interfaces"]
    ]
