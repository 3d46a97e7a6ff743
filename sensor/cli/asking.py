"""What the commands that ask the running daemon share."""

import argparse
import http
from pathlib import Path
from typing import Any

from sensor.api.client import NoAnswerError, RefusedError, ask
from sensor.cli import CommandError, ExitCode
from sensor.cli.options import add_configuration_option, read_configuration
from sensor.cli.output import printable


def add_socket_option(parser: argparse.ArgumentParser) -> None:
    """Add `-c` and `--socket`, which say where the daemon is."""
    add_configuration_option(parser)
    parser.add_argument("--socket", type=Path, metavar="PATH", help="ask this socket, not that of the configuration")


def ask_daemon(path: Path, question: str, **parameters: str) -> Any:  # noqa: ANN401
    """Ask the daemon at a socket; CommandError says what to do if it does not answer, or knows nothing."""
    try:
        return ask(path, question, **parameters)
    except NoAnswerError as error:
        raise no_daemon(path, error) from error
    except RefusedError as error:
        if error.status == http.HTTPStatus.BAD_REQUEST:
            raise CommandError(ExitCode.USAGE, printable(error)) from error
        if error.status == http.HTTPStatus.NOT_FOUND:
            raise CommandError(ExitCode.NO, printable(error)) from error
        raise CommandError(ExitCode.SYSTEM, f"the daemon failed to answer: {printable(error)}") from error


def no_daemon(path: Path, error: NoAnswerError) -> CommandError:
    """Say that nobody answers, and the next step."""
    step = "start it with `spanwatch run` or `systemctl start spanwatch`, or name its configuration with -c"
    return CommandError(ExitCode.SYSTEM, f"no daemon answers at {path} ({printable(error)}): {step}")


def socket_of(arguments: argparse.Namespace) -> Path:
    """Give the socket that the options or the configuration name; CommandError."""
    if arguments.socket is not None:
        return Path(arguments.socket)
    path = read_configuration(arguments).api.socket
    if path is None:
        raise CommandError(ExitCode.CONFIGURATION, "api.socket is null: the daemon cannot be asked; give it a path")
    return path
