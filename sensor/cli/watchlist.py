"""`spanwatch watchlist check`: what an import would take and refuse, and why."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from sensor.cli import CommandError, ExitCode
from sensor.cli.output import print_json, print_table, printable
from sensor.config.detection import ListFormat, WatchlistSource
from sensor.watchlist.load import ListError, ListFile, ListText, read_list
from sensor.watchlist.store import ListSummary, complete, native_compile

_SHOWN_REFUSALS = 50


@dataclass(frozen=True, slots=True)
class _Verdict:
    path: Path
    text: ListText
    summary: ListSummary


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "watchlist",
        description="Work with lists of indicators.",
        epilog="example: spanwatch watchlist check feodo.csv",
    )
    parts = parser.add_subparsers(metavar="PART", required=True)
    check = parts.add_parser(
        "check",
        help="what an import would take and refuse",
        description="Say what an import would take and refuse, and why. The exit code is 1 if anything is refused, "
        "74 if a file cannot be read as a list.",
        epilog="example: spanwatch watchlist check --json /etc/spanwatch/watchlists.d/*.csv",
    )
    check.add_argument("files", nargs="+", type=Path, metavar="FILE", help="list to check")
    check.add_argument(
        "--format", choices=get_args(ListFormat), default="auto", help="format of the lists (default: auto)"
    )
    check.add_argument("--json", action="store_true", help="print one JSON object a file")
    check.set_defaults(run=run_check)


def run_check(args: argparse.Namespace) -> int:
    """Check each file: 0, 1 if an entry is refused or a list has none, 74 if a file cannot be read as a list."""
    verdicts: list[_Verdict] = []
    unreadable: list[str] = []
    for path in args.files:
        try:
            verdicts.append(_judge(path, args.format))
        except ListError as error:
            unreadable.append(f"{printable(path)}: {error}")
    if args.json:
        print_json(map(_as_object, verdicts))
    elif verdicts:
        _print(verdicts)
    if unreadable:
        raise CommandError(ExitCode.INPUT_OUTPUT, "\n".join(unreadable))
    refused = any(item.summary["refused_total"] or not item.summary["entries"] for item in verdicts)
    return ExitCode.NO if refused else ExitCode.OK


def _judge(path: Path, format_: ListFormat) -> _Verdict:
    text = read_list(ListFile(path, WatchlistSource(path=path, format=format_)))
    return _Verdict(path, text, complete(native_compile()([text.core]).lists[0], text))


def _as_object(item: _Verdict) -> dict[str, object]:
    return {
        "file": str(item.path),
        "format": item.text.format,
        "entries": item.summary["entries"],
        "indicators": item.summary["indicators"],
        "refused_total": item.summary["refused_total"],
        "refused": [
            {"line": line, "column": column, "reason": reason} for line, column, reason in item.summary["refused"]
        ],
    }


def _print(verdicts: Sequence[_Verdict]) -> None:
    for item in verdicts:
        refused = item.summary["refused"]
        for line, column, reason in refused[:_SHOWN_REFUSALS]:
            print(f"{printable(item.path)}:{line}:{column}: {printable(reason)}")
        if item.summary["refused_total"] > _SHOWN_REFUSALS:
            print(f"{printable(item.path)}: {item.summary['refused_total'] - _SHOWN_REFUSALS} more")
    rows = [
        (
            item.path,
            item.text.format,
            item.summary["entries"],
            _by_type(item.summary["indicators"]),
            item.summary["refused_total"],
        )
        for item in verdicts
    ]
    print_table(("file", "format", "taken", "of which", "refused"), rows)


def _by_type(indicators: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in indicators.items() if count) or "-"
