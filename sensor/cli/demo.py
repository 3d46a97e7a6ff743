"""`spanwatch demo`: a mirror of its own, to see the sensor at work without a switch."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from sensor.cli import CommandError, ExitCode
from sensor.cli.options import seconds_above_zero
from sensor.demo.mirror import Mirror, MirrorError
from sensor.demo.outcome import Outcome
from sensor.demo.replay import show_capture
from sensor.demo.show import show_live
from sensor.demo.stage import METRICS_PORT, set_up


def register(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "demo",
        description="Watch the mirror port of a made-up office in a private network namespace: 40 hosts, one of them "
        "in contact with a C2 server, one sending bulk mail. Needs root; without, the same is read from a capture.",
        epilog="example: spanwatch demo --seconds 30",
    )
    parser.add_argument(
        "--seconds",
        type=seconds_above_zero,
        metavar="N",
        help="end after N seconds; exit code 0 if both alerts were raised",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Show the sensor at work; 0 if it raised both scripted alerts."""
    with tempfile.TemporaryDirectory(prefix="spanwatch-demo-") as directory:
        outcome = _show(Path(directory), args.seconds)
    missing = outcome.missing()
    for alert in missing:
        print(f"spanwatch: this alert was not raised: {alert}", file=sys.stderr)
    return ExitCode.NO if missing else ExitCode.OK


def _show(directory: Path, seconds: float | None) -> Outcome:
    stage = set_up(directory)
    try:
        with Mirror() as mirror:
            if stage.metrics_port != METRICS_PORT:
                print(f"port {METRICS_PORT} is taken: the metrics are on port {stage.metrics_port}")
            return show_live(stage, mirror, seconds)
    except MirrorError as error:
        print(f"no private network here ({error}): reading the same office from a capture; with root it is live")
        return show_capture(stage, seconds)
    except OSError as error:
        raise CommandError(ExitCode.SYSTEM, str(error)) from error
