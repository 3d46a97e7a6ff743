"""`spanwatch run`: the daemon, in the foreground."""

import argparse
import time
from collections.abc import Callable

from sensor.allocator import return_large_blocks
from sensor.api.live import LiveView
from sensor.cli import CommandError, ExitCode, describe
from sensor.cli.options import (
    StopAfter,
    add_capture_options,
    answer_listing,
    load_configuration,
    read_configuration,
    stop_after,
)
from sensor.config import ConfigError
from sensor.daemon import Daemon, Hooks
from sensor.outputs import OutputError
from sensor.systemd import configure_logging


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "run",
        description="Watch mirror ports until SIGTERM or Ctrl-C; SIGHUP reads lists and suppressions again.",
        epilog="example: spanwatch run -i eth1",
    )
    add_capture_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the daemon; 0 after a clean end."""
    if answer_listing(args):
        return ExitCode.OK
    configure_logging()
    return_large_blocks()
    config = read_configuration(args, live=True)
    hooks = Hooks(stop_when=stop_condition(stop_after(args)), read_config=lambda: load_configuration(args, live=True))
    try:
        Daemon(config, hooks).run()
    except ConfigError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from error
    except OutputError as error:
        raise CommandError(ExitCode.INPUT_OUTPUT, describe(error)) from error
    except ValueError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from error
    except OSError as error:
        raise CommandError(ExitCode.SYSTEM, describe(error)) from error
    return ExitCode.OK


def stop_condition(stop: StopAfter) -> Callable[[LiveView], bool] | None:
    """Turn the conditions of `-a` into the daemon's question, None if there is none."""
    if stop == StopAfter():
        return None
    end = time.monotonic() + stop.duration_seconds if stop.duration_seconds is not None else None

    def is_over(view: LiveView) -> bool:
        if end is not None and time.monotonic() >= end:
            return True
        counters = view.counters()
        ring = counters["ring"]
        reached = [(stop.packets, sum(interface["captured_frames"] for interface in counters["interfaces"]))]
        if ring is not None:
            reached += [(stop.files, ring["segments"]), (stop.bytes, ring["written_bytes"])]
        return any(limit is not None and value >= limit for limit, value in reached)

    return is_over
