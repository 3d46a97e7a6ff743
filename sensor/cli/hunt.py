"""`spanwatch hunt`: which hosts met these indicators."""

import argparse
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from sensor.alerts.text import counted
from sensor.cli import CommandError, ExitCode, describe
from sensor.cli.options import add_configuration_option, read_configuration
from sensor.cli.output import print_json, print_table, printable
from sensor.cli.sightings import COLUMNS, Announcement, Stream, cells
from sensor.config import Config
from sensor.hunt.answer import Sighting
from sensor.hunt.hunt import Hunt, Places, Watcher
from sensor.hunt.notice import LARGEST_NOTICE_BYTES, Reading, decode, read_notice
from sensor.hunt.wanted import WantedSet
from sensor.hunt.window import Window
from sensor.identity.ends import Ends
from sensor.pcap.times import moment_ns
from sensor.watchlist.load import ListError

_SHOWN_REFUSALS = 20


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "hunt",
        description="Tell which internal hosts met these indicators, from the history, the connections that are open "
        "now, and the ring. An indicator is an address, network, address:port, domain (*.domain with all below it), "
        "URL, JA4 fingerprint, mail address, SHA-256 of a mail's attachment or MD5 of a mail's text; defanged ones "
        "(hxxp://evil[.]example) are understood. The exit code is 1 if nobody met any.",
        epilog="examples: spanwatch hunt 203.0.113.9:443 '*.evil.example' --since 7d; "
        "spanwatch hunt --notice notice.txt",
    )
    add_configuration_option(parser)
    parser.add_argument("indicators", nargs="*", metavar="INDICATOR", help="what to look for")
    parser.add_argument(
        "--list", dest="lists", action="append", default=[], type=Path, metavar="FILE",
        help="a list of indicators in any format of watchlists; repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--notice", type=Path, metavar="FILE", help="the text of a notice: address, port, name and time are found in it"
    )
    parser.add_argument("--since", metavar="T", help="2h (ago), 07:46 (today), 2026-11-22T07:46; local unless a zone")
    parser.add_argument("--until", metavar="T", help="the latest time, written likewise")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON object a line, the newest first")
    forms.add_argument(
        "--stream", action="store_true",
        help="print one JSON object a line as soon as a machine is met, with `final` false; the answer follows",
    )  # fmt: skip
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Hunt: 0 if somebody met an indicator, 1 if nobody did."""
    config = read_configuration(args)
    reading = _read_notice(args.notice, config) if args.notice else None
    wanted = _wanted(args, reading)
    window = _window(args, reading)
    places = Places.of(config)
    if not places.history.is_dir() and not (places.socket and places.socket.exists()):
        message = f"{places.history}: no history is there, and no daemon runs; name its configuration with -c"
        raise CommandError(ExitCode.INPUT_OUTPUT, message)
    hunt = Hunt(places, Ends(config.networks.internal), _note)
    try:
        with _watcher(args, window) as watcher:
            found = hunt.run(wanted, window, watcher)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(ExitCode.INPUT_OUTPUT, printable(describe(error))) from error
    _print(found, args)
    if not found:
        _note(f"nobody met {counted(len(wanted), 'indicator')} in {places.history}")
    return ExitCode.OK if found else ExitCode.NO


def _read_notice(path: Path, config: Config) -> Reading:
    """Read a notice, and show first what was taken as what."""
    try:
        with path.open("rb") as file:
            text = decode(file.read(LARGEST_NOTICE_BYTES + 1))
    except OSError as error:
        raise CommandError(ExitCode.INPUT_OUTPUT, describe(error)) from error
    except ValueError as error:
        raise CommandError(ExitCode.INPUT_OUTPUT, f"{path}: {error}") from error
    reading = read_notice(text, Ends(config.networks.internal).is_internal, time.time_ns())
    for line in reading.lines():
        print(f"notice: {printable(line)}", file=sys.stderr)
    if not reading.is_enough:
        raise CommandError(ExitCode.USAGE, f"{path}: {reading.lack}")
    return reading


def _wanted(args: argparse.Namespace, reading: Reading | None) -> WantedSet:
    wanted = WantedSet()
    wanted.add_words(args.indicators)
    if wanted.refused:
        raise CommandError(ExitCode.USAGE, "\n".join(map(printable, wanted.refused)))
    for path in args.lists:
        try:
            wanted.add_file(path)
        except ListError as error:
            raise CommandError(ExitCode.INPUT_OUTPUT, f"{printable(path)}: {error}") from error
    if reading is not None:
        wanted.add_words(reading.indicators)
        for port in reading.searched_ports:
            wanted.add_port(port)
    for line in wanted.refused[:_SHOWN_REFUSALS]:
        _note(line)
    if not wanted:
        raise CommandError(ExitCode.USAGE, "nothing to look for: name an indicator, --list FILE or --notice FILE")
    return wanted


def _window(args: argparse.Namespace, reading: Reading | None) -> Window:
    """Give the time that the options name, else the notice's, else all there is."""
    now_ns = time.time_ns()
    window = Window()
    if reading is not None and reading.window is not None:
        window = reading.window
    try:
        since_ns = moment_ns(args.since, now_ns) if args.since else window.since_ns
        until_ns = moment_ns(args.until, now_ns) if args.until else window.until_ns
    except ValueError as error:
        raise CommandError(ExitCode.USAGE, printable(error)) from error
    if since_ns > until_ns:
        raise CommandError(ExitCode.USAGE, "--since is later than --until")
    return Window(max(0, since_ns), until_ns)


def _watcher(args: argparse.Namespace, window: Window) -> AbstractContextManager[Watcher]:
    if args.stream:
        return nullcontext(Stream(window, _note))
    if args.json or not sys.stdout.isatty():
        return nullcontext(Announcement(window, _note))
    # Late, because rich takes a tenth of a second and only a terminal needs it.
    from sensor.cli.hunt_screen import HuntScreen  # noqa: PLC0415

    return HuntScreen(window, _note)


def _print(found: Sequence[Sighting], args: argparse.Namespace) -> None:
    if args.stream:
        print_json({**sighting.describe(), "final": True} for sighting in found)
    elif args.json:
        print_json(sighting.describe() for sighting in found)
    elif found:
        print_table(COLUMNS, map(cells, found))


def _note(line: str) -> None:
    print(f"spanwatch: {printable(line)}", file=sys.stderr)
