"""spanwatch: a network sensor for a mirror port that names the host behind the traffic.

As a library it reads capture files: `sensor.open("a.pcap", "b.pcap.gz")` gives a `sensor.library.Capture`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sensor.library import Capture, open_capture

    open = open_capture  # noqa: A001  # reads as `sensor.open`, as with other formats' libraries

__all__ = ["Capture", "__version__", "open"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:  # noqa: ANN401  # late: the command line starts faster without it
    if name not in {"Capture", "open"}:
        raise AttributeError(f"module 'sensor' has no attribute '{name}'")
    from sensor import library  # noqa: PLC0415

    return library.Capture if name == "Capture" else library.open_capture
