"""Options that several commands share. Where an operator's fingers know tshark, the letters mean the same."""

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sensor.capture.devices import devices, link_type
from sensor.cli import CommandError, ExitCode
from sensor.cli.output import print_table
from sensor.config import Config, ConfigError, load
from sensor.frames import STANDARD_INPUT, FrameOutput

DEFAULT_CONFIGURATION = Path("/etc/spanwatch/spanwatch.yaml")
_LARGEST_SNAPLEN = 262_144
_KILOBYTE = 1000


@dataclass(frozen=True, slots=True)
class StopAfter:
    """When a capture ends by itself; None is never. Files and bytes are those of the pcap ring."""

    duration_seconds: float | None = None
    packets: int | None = None
    files: int | None = None
    bytes: int | None = None


def add_configuration_option(parser: argparse.ArgumentParser) -> None:
    """Add `-c`."""
    parser.add_argument(
        "-c",
        dest="configuration",
        type=Path,
        metavar="FILE",
        help=f"configuration (default: {DEFAULT_CONFIGURATION}, if there)",
    )


def add_filter_option(parser: argparse.ArgumentParser) -> None:
    """Add `-f`."""
    parser.add_argument("-f", dest="filter", metavar="BPF", help="take only frames that match, as in tcpdump")


def add_capture_options(parser: argparse.ArgumentParser) -> None:
    """Add what a live capture takes: `-c -i -f -s -p -B -a -b -D -L`."""
    add_configuration_option(parser)
    parser.add_argument(
        "-i", dest="interfaces", action="append", metavar="IFACE", help="interface to watch; repeatable"
    )
    add_filter_option(parser)
    parser.add_argument(
        "-s", dest="snaplen", type=_whole_number, metavar="BYTES", help="bytes captured of a frame; 0: all"
    )
    parser.add_argument("-p", dest="not_promiscuous", action="store_true", help="only frames to this machine")
    parser.add_argument("-B", dest="ring_memory_mib", type=_whole_number, metavar="MIB", help="kernel ring, in MiB")
    parser.add_argument(
        "-a", dest="stop_after", action="append", default=[], type=_pair("duration", "filesize", "files", "packets"),
        metavar="WHEN:N", help="stop after duration:SECONDS, packets:N, files:N or filesize:KB",
    )  # fmt: skip
    parser.add_argument(
        "-b", dest="rotate", action="append", default=[], type=_pair("duration", "filesize", "files"),
        metavar="WHEN:N", help="next ring file after duration:SECONDS or filesize:KB; keep files:N",
    )  # fmt: skip
    parser.add_argument("-D", dest="list_interfaces", action="store_true", help="list the interfaces and exit")
    parser.add_argument(
        "-L", dest="list_link_types", action="store_true", help="list the interfaces' link types and exit"
    )


def add_frame_options(parser: argparse.ArgumentParser) -> None:
    """Add what writes frames out of capture files: `-w --app -b`."""
    parser.add_argument(
        "-w", dest="frames", type=Path, metavar="OUT", help="write the frames that match -f and --app to this pcap file"
    )
    parser.add_argument(
        "--app", dest="apps", type=_names, default=(), metavar="NAME,…",
        help="of the frames only those of flows that speak one of these protocols, such as smtp,http, "
        "from their first frame on",
    )  # fmt: skip
    parser.add_argument(
        "-b", dest="frame_files", action="append", default=[], type=_pair("duration", "filesize", "files"),
        metavar="WHEN:N", help="next file for -w after duration:SECONDS or filesize:KB; keep files:N",
    )  # fmt: skip


def frame_output(args: argparse.Namespace) -> FrameOutput | None:
    """Give where frames go, None if nowhere. Raises CommandError for what makes no sense together."""
    rotation: dict[str, int] = dict(args.frame_files)
    if args.frames is None:
        if args.apps or rotation:
            raise CommandError(ExitCode.USAGE, "--app and -b say which frames -w writes, and how; give -w as well")
        return None
    if args.frames.suffix == ".pcapng" or str(args.frames) == STANDARD_INPUT:
        raise CommandError(ExitCode.USAGE, f"-w {args.frames}: frames are written as pcap to a file, such as out.pcap")
    seconds, kilobytes = rotation.get("duration", 0), rotation.get("filesize", 0)
    output = FrameOutput(args.frames, seconds, kilobytes * _KILOBYTE, rotation.get("files", 0))
    if output.overwrites(args.files):
        raise CommandError(ExitCode.USAGE, f"-w {args.frames}: is one of the files that are read")
    return output


def load_configuration(
    args: argparse.Namespace, *, live: bool = False, overrides: dict[str, object] | None = None
) -> Config:
    """Load the configuration that the options name, with what they change; `overrides` come on top.

    Raises ConfigError.
    """
    path = args.configuration or (DEFAULT_CONFIGURATION if DEFAULT_CONFIGURATION.exists() else None)
    return load(path, {**option_overrides(args), **(overrides or {})}, live=live)


def read_configuration(
    args: argparse.Namespace, *, live: bool = False, overrides: dict[str, object] | None = None
) -> Config:
    """Load the configuration for a command. Raises CommandError with every problem, one a line."""
    try:
        return load_configuration(args, live=live, overrides=overrides)
    except ConfigError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from None


def option_overrides(args: argparse.Namespace) -> dict[str, object]:
    """Give the configuration keys that the options set."""
    given = vars(args)
    snaplen, ring_memory_mib = given.get("snaplen"), given.get("ring_memory_mib")
    overrides = {
        "capture.interfaces": given.get("interfaces"),
        "capture.filter": given.get("filter"),
        "capture.snaplen": _LARGEST_SNAPLEN if snaplen == 0 else snaplen,
        "capture.promiscuous": False if given.get("not_promiscuous") else None,
        "capture.ring_memory": f"{ring_memory_mib}MiB" if ring_memory_mib is not None else None,
    }
    for kind, number in given.get("rotate", []):
        key, value = _ROTATION[kind](number)
        overrides[key] = value
    return {key: value for key, value in overrides.items() if value is not None}


_ROTATION: dict[str, Callable[[int], tuple[str, object]]] = {
    "duration": lambda seconds: ("pcap_ring.segment_time", f"{seconds}s"),
    "filesize": lambda kilobytes: ("pcap_ring.segment_size", kilobytes * _KILOBYTE),
    "files": lambda count: ("pcap_ring.max_segments", count),
}


def stop_after(args: argparse.Namespace) -> StopAfter:
    """Give the conditions of `-a`; of one given twice the last counts."""
    given: dict[str, int] = dict(args.stop_after)
    kilobytes = given.get("filesize")
    return StopAfter(
        duration_seconds=given.get("duration"),
        packets=given.get("packets"),
        files=given.get("files"),
        bytes=None if kilobytes is None else kilobytes * _KILOBYTE,
    )


def answer_listing(args: argparse.Namespace) -> bool:
    """Do what `-D` or `-L` ask for, if they do; True when that was all."""
    if args.list_interfaces:
        for number, device in enumerate(devices(), start=1):
            print(f"{number}. {device.name}")
    elif args.list_link_types:
        config = read_configuration(args, live=True)
        rows = [(entry.name, link_type(entry.name) or "not supported") for entry in config.capture.interfaces]
        print_table(("interface", "link type"), rows)
    return bool(args.list_interfaces or args.list_link_types)


def _whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > len("1000000000"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(","))
    if not all(names):
        raise argparse.ArgumentTypeError(f"{text!r}: write protocols with commas between, such as smtp,http")
    return names


def _pair(*kinds: str) -> Callable[[str], tuple[str, int]]:
    """Make the reader of a `kind:number` option."""

    def read(text: str) -> tuple[str, int]:
        kind, _, number = text.partition(":")
        if kind not in kinds:
            raise argparse.ArgumentTypeError(f"{text!r}: write one of {', '.join(kinds)}, a colon and a number")
        value = _whole_number(number)
        if value == 0:
            raise argparse.ArgumentTypeError(f"{text!r}: the number must be at least 1")
        return kind, value

    return read


def seconds_above_zero(text: str) -> float:
    """Give a number of seconds as an option writes it. Raises argparse.ArgumentTypeError for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")
    return value
