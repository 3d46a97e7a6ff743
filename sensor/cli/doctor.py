"""`spanwatch doctor`: is the network card prepared, and is the mirror healthy."""

import argparse
import os
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sensor.capture.devices import may_capture
from sensor.cli import CommandError, ExitCode, describe
from sensor.cli.options import add_configuration_option, read_configuration, seconds_above_zero
from sensor.cli.output import print_json, printable
from sensor.config import Config
from sensor.doctor.finding import OK
from sensor.doctor.nic import Nic, read_nic
from sensor.doctor.report import Report, examine, figures, text_lines
from sensor.doctor.watch import KEEPS_NOTHING, Watch, watch

_DEFAULT_SECONDS = 60.0


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "doctor",
        description="Look at a mirror port for a while, and say what to change at the switch or the network card. "
        "Keeps nothing, and may run beside the daemon. Exit code 0 if all is well, 1 if not.",
        epilog="example: spanwatch doctor eth1 --seconds 30",
    )
    parser.add_argument("interface", metavar="IFACE", help="the interface that the mirror arrives on")
    add_configuration_option(parser)
    parser.add_argument(
        "--seconds",
        type=seconds_above_zero,
        default=_DEFAULT_SECONDS,
        metavar="N",
        help="how long to watch (default: 60)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Examine the interface; 0 if it is healthy, 1 if not."""
    config = read_configuration(args, live=True, overrides={"capture.interfaces": [args.interface], **KEEPS_NOTHING})
    report = _examine(config, args.interface, args.seconds)
    if args.json:
        print_json([report.as_object()])
    else:
        _print_text(report)
    return ExitCode.OK if report.verdict == OK else ExitCode.NO


def _examine(config: Config, interface: str, seconds: float) -> Report:
    before = _present(interface)
    if not may_capture():
        raise CommandError(ExitCode.SYSTEM, f"{interface}: listening needs root or CAP_NET_RAW; try sudo")
    if before.device.state == "down":
        seen = Watch(state="down")
    else:
        try:
            with _progress(seconds) as progress:
                seen = watch(config, seconds, progress)
        except (OSError, RuntimeError) as error:
            reason = describe(error) if isinstance(error, OSError) else str(error)
            raise CommandError(ExitCode.SYSTEM, f"{interface}: {reason}") from error
    return examine(before, read_nic(interface) or before, seen, config.detect.mirror.port_speed)


def _present(interface: str) -> Nic:
    nic = read_nic(interface)
    if nic is None:
        known = ", ".join(name for _, name in socket.if_nameindex())
        raise CommandError(
            ExitCode.SYSTEM,
            f"{interface}: no such interface in this network namespace; here are {known}, and `ip netns exec NAME "
            "spanwatch doctor …` looks into another",
        )
    return nic


@contextmanager
def _progress(seconds: float) -> Iterator[Callable[[Watch], None]]:
    """Show on a terminal, on standard error, how far the watch is; elsewhere show nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    # Late, because rich takes a tenth of a second and only a terminal needs it.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import BarColumn, Progress, TextColumn  # noqa: PLC0415

    console = Console(stderr=True, no_color="NO_COLOR" in os.environ)
    with Progress(BarColumn(), TextColumn("{task.description}"), console=console, transient=True) as bar:
        task = bar.add_task("listening", total=seconds)
        yield lambda seen: bar.update(task, completed=seen.seconds, description=figures(seen))


def _print_text(report: Report) -> None:
    for line in text_lines(report):
        indent = line[: len(line) - len(line.lstrip())]
        print(indent + (printable(line.lstrip()) if line.strip() else ""))
