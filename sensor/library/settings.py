"""How the core reads files for a script: by the sensor's defaults.

Those stand in a file of their own, which is generated: whoever opens a capture does not wait for the model of the
configuration, whose import takes longer than to read a hundred thousand packets.
"""

import json
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from sensor.capture.filters import filter_error

DEFAULTS = Path(__file__).with_name("defaults.json")
"""The settings of the core, without files."""


def reading_settings(files: Sequence[str], expression: str, networks: Iterable[str]) -> dict[str, Any]:
    """Give the core's settings for these files, a BPF expression and the internal networks (none: the default).

    Raises ValueError for a wrong expression or network.
    """
    settings: dict[str, Any] = json.loads(DEFAULTS.read_bytes())
    reason = filter_error(expression) if expression else None
    if reason:
        raise ValueError(f'filter "{expression}": {reason}; pcap-filter(7) has the grammar')
    internal = [_network(text) for text in networks]
    if internal:
        settings["networks"]["internal"] = settings["web"]["servers"] = internal
    return settings | {"files": list(files), "filter": expression}


def _network(text: str) -> str:
    try:
        return str(ip_network(text))
    except ValueError as error:
        raise ValueError(f"{error}; write a network such as 10.0.0.0/8 or fc00::/7") from None


def default_settings() -> dict[str, Any]:
    """Give what `DEFAULTS` must hold; without rules of web attacks, of which nothing is told here."""
    from sensor.config import engine_settings, load  # noqa: PLC0415  # late, see above

    settings = engine_settings(load(None, {"sensor.name": "spanwatch", "eve.path": None}), "read")
    settings["web"]["rules"] = []
    return settings


if __name__ == "__main__":
    print(json.dumps(default_settings(), indent=2))
