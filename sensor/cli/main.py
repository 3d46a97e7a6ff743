"""`spanwatch`: finds the command, runs it, and turns its end into an exit code."""

import argparse
import gc
import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import NamedTuple, NoReturn

from sensor import __version__
from sensor.cli import CommandError, ExitCode, describe

_OBJECTS_BEFORE_COLLECTION = 200_000


class _Command(NamedTuple):
    name: str
    module: str
    summary: str


# In the order of the help. A module is imported only when its command is asked for: the help of all must be quick.
# Its `register(commands)` adds the parser of each of its commands with `set_defaults(run=…)`; `run` gives an exit code.
COMMANDS = (
    _Command("run", "sensor.cli.run", "watch the mirror port, in the foreground"),
    _Command("read", "sensor.cli.read", "the same over capture files"),
    _Command("check", "sensor.cli.check", "check configuration, filters and lists"),
    _Command("demo", "sensor.cli.demo", "a mirror of its own, to see the sensor at work"),
    _Command("status", "sensor.cli.ask", "how the running sensor is"),
    _Command("hosts", "sensor.cli.ask", "hosts that the running sensor sees"),
    _Command("flows", "sensor.cli.ask", "connections that the running sensor sees"),
    _Command("alerts", "sensor.cli.ask", "open incidents of the running sensor"),
    _Command("top", "sensor.cli.top", "the live screen: what is busiest now"),
    _Command("hunt", "sensor.cli.hunt", "which hosts met these indicators, now and in the past"),
    _Command("pcap", "sensor.cli.pcap", "packets out of the ring"),
    _Command("interfaces", "sensor.cli.interfaces", "what can be listened on"),
    _Command("doctor", "sensor.cli.doctor", "is the network card prepared and the mirror healthy"),
    _Command("watchlist", "sensor.cli.watchlist", "what an import of a list would take and refuse"),
    _Command("config", "sensor.cli.config", "schema, reference and effective configuration"),
)


def entry() -> NoReturn:
    """Run the process's command line and end the process.

    All threads are joined and all files closed by then: taking the interpreter apart would only cost time, which for a
    capture of a few million packets is a tenth of the whole. pydantic would look through every installed package for
    plugins, and the collector through all that is imported, again and again, where nothing is garbage.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    code = main()
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line (without the program's name); give the exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    try:
        parsed = _parser(_chosen(arguments)).parse_args(arguments)
        run: Callable[[argparse.Namespace], int] = parsed.run
        code = run(parsed)
        sys.stdout.flush()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else ExitCode.OK
    except CommandError as error:
        return _failed(error.code, str(error))
    except BrokenPipeError:
        # Whoever read the output has gone; the interpreter must not try to flush the rest at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.PIPE_CLOSED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except OSError as error:
        # What a command opens itself has a name.
        operation = "" if error.filename else "cannot write standard output: "
        return _failed(ExitCode.INPUT_OUTPUT, f"{operation}{describe(error)}")
    return code


def _chosen(arguments: Sequence[str]) -> _Command | None:
    name = next((argument for argument in arguments if not argument.startswith("-")), None)
    return next((command for command in COMMANDS if command.name == name), None)


def _parser(chosen: _Command | None) -> argparse.ArgumentParser:
    """Build the parser with the whole of the chosen command and the names of the others."""
    parser = argparse.ArgumentParser(
        prog="spanwatch",
        description="Network sensor for a mirror port.",
        epilog="spanwatch COMMAND --help explains a command. Try: spanwatch demo",
    )
    parser.add_argument("--version", action="version", version=f"spanwatch {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        if chosen is None or command.module != chosen.module:
            commands.add_parser(command.name, help=command.summary)
        elif command is chosen:
            import_module(command.module).register(commands)
    return parser


def _failed(code: ExitCode, message: str) -> int:
    """Say why, in one line a problem."""
    for line in message.splitlines():
        print(f"spanwatch: {line}", file=sys.stderr)
    return code
