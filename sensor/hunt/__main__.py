"""The process that searches for a running sensor, at the lowest priority.

The argument is JSON with `history`, `ring` and `internal`. Standard input is a file of the entries to look for, as
`Watchlists.write_entries` writes it. Standard output has a line of JSON for each machine and indicator; notes go to
standard error. Nothing listens, and nothing is written but what memory cannot hold.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sensor.give_way import give_way
from sensor.hunt.answer import Sighting
from sensor.hunt.hunt import Hunt, Places
from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from sensor.identity.ends import Ends

_INPUT_OUTPUT = 74


def main() -> int:
    """Search once; gives the exit code."""
    try:
        give_way()
        for line in _answer(json.loads(sys.argv[1])):
            print(json.dumps(line))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        print(error, file=sys.stderr)
        return _INPUT_OUTPUT
    return 0


def _answer(places: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ring = Path(places["ring"]) if places["ring"] else None
    ends = Ends(map(ip_network, places["internal"]))
    hunt = Hunt(Places(Path(places["history"]), ring, None), ends, _note)
    for sighting in hunt.run(WantedSet(sys.stdin.buffer), Window()):
        yield {**sighting.describe(), **_more(sighting), "entry": sighting.wanted.number}


def _more(sighting: Sighting) -> dict[str, Any]:
    """Give what an alert tells besides."""
    src_ip, dest_ip = sighting.ends
    latest = sighting.latest
    return {
        "first_ns": sighting.first_ns,
        "last_ns": sighting.last_ns,
        "remote": (dest_ip if src_ip == sighting.ip else src_ip) if sighting.remotes else None,
        "flow": {
            "flow_id": latest.flow_id,
            "community_id": latest.community_id or "",
            "start_ns": latest.start_ns,
            "frame": None,  # hunts are live
            "src_ip": src_ip,
            "src_port": latest.src_port or 0,
            "dest_ip": dest_ip,
            "dest_port": latest.dest_port or 0,
            "proto": latest.proto,
            "app_proto": "",
        },
    }


def _note(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
