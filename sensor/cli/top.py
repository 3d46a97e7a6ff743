"""`spanwatch top`: the live screen."""

import argparse
import sys
from pathlib import Path

from sensor.api.client import NoAnswerError, RefusedError, Stream
from sensor.cli import CommandError, ExitCode
from sensor.cli.asking import add_socket_option, ask_daemon, no_daemon, socket_of
from sensor.cli.options import read_configuration
from sensor.cli.output import print_json, printable
from sensor.config import Config


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "top",
        description="What is busiest now, on a screen of the terminal: connections, devices, remotes, VLANs, alerts, "
        "mirror. Keys: 1 to 6 and Tab choose the table, < and > the column that sorts, r turns the order round, "
        "/ filters, Enter opens a host, w writes packets to a file, Escape leads back, q ends.",
        epilog="example: spanwatch top",
    )
    add_socket_option(parser)
    parser.add_argument("--json", action="store_true", help="print a sample a second, one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the screen until the user ends it, or print samples until the daemon does."""
    path = socket_of(arguments)
    if arguments.json:
        return _print_samples(path)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise CommandError(ExitCode.USAGE, "top needs a terminal; with --json it prints lines")
    ask_daemon(path, "status")  # if nobody is there, say so in the shell
    # Late, because textual takes a quarter of a second and only the screen needs it.
    from sensor.top.app import TopApp  # noqa: PLC0415

    TopApp(path, _configuration(arguments)).run()
    return ExitCode.OK


def _configuration(arguments: argparse.Namespace) -> Config | None:
    """Give the daemon's configuration; None where only a socket is named, which may be anyone's."""
    return None if arguments.socket and not arguments.configuration else read_configuration(arguments)


def _print_samples(path: Path) -> int:
    try:
        with Stream(path) as stream:
            for event in stream:
                if event.kind == "sample":
                    print_json([event.data])
                    sys.stdout.flush()
    except NoAnswerError as error:
        raise no_daemon(path, error) from error
    except RefusedError as error:
        raise CommandError(ExitCode.SYSTEM, printable(error)) from error
    raise CommandError(ExitCode.SYSTEM, "the daemon has ended the stream")
