"""`spanwatch read`: the same engine over capture files."""

import argparse
import logging
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.alerts.rules import BY_NAME
from sensor.alerts.text import size, stamp
from sensor.cli import CommandError, ExitCode, describe
from sensor.cli.options import (
    add_configuration_option,
    add_filter_option,
    add_frame_options,
    frame_output,
    read_configuration,
)
from sensor.cli.output import place_text, print_json, print_table, printable
from sensor.config import Config, ConfigError
from sensor.frames import Reading, read_twice
from sensor.reload import ListLoader
from sensor.systemd import configure_logging

if TYPE_CHECKING:
    from sensor.alerts.desk import AlertNumbers
    from sensor.cli.progress import ByteBar
    from sensor.engine import Counters
    from sensor.identity.naming import Identities
    from sensor.report.collect import Report

_MOST_MACHINES = 10_000
_SHOWN_MACHINES = 50

ShowProgress = Callable[["Counters"], None]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "read",
        description="Analyse capture files, merged by time, and print a summary. Without -c and -o nothing is written.",
        epilog="examples: spanwatch read -o out office.pcap; spanwatch read --app smtp,http -w mail.pcap day/*.pcap",
    )
    add_configuration_option(parser)
    add_filter_option(parser)
    add_frame_options(parser)
    parser.add_argument(
        "-o", dest="output", type=Path, metavar="DIR", help="write DIR/eve.json and DIR/alerts.log anew"
    )
    parser.add_argument(
        "--report",
        action="store_true",
        help="write DIR/report.html, DIR/report.json and DIR/mail/*.eml, and print what was found",
    )
    parser.add_argument("--json", action="store_true", help="print the summary as one JSON object")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="pcap or pcapng file, also in gzip, zstd or lz4; - is standard input"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Read the files; 74 if nothing of them could be read."""
    configure_logging(logging.WARNING)
    reading = Reading(args.files, args.apps, frame_output(args))
    _allow_open_files()
    if args.report and args.output is None:
        raise CommandError(ExitCode.USAGE, "--report needs -o DIR, where the report is written to")
    config = read_configuration(args, overrides=_output_overrides(args))
    try:
        with read_twice(reading) as files:
            counters, alerts, identities, report = _analyse(config, args, files)
        found = summary(counters, alerts, identities)
        if report is not None:
            _write_report(report.document, found, args)
    except ConfigError as error:
        raise CommandError(ExitCode.CONFIGURATION, str(error)) from error
    except ValueError as error:
        raise CommandError(ExitCode.USAGE, str(error)) from error
    except OSError as error:
        raise CommandError(ExitCode.INPUT_OUTPUT, describe(error)) from error
    if args.report:
        # The report tells of hosts with their machines.
        found["machines"] = found["machines"] if args.json else []
    code = _report(found, as_json=args.json)
    if report is not None and not args.json:
        _print_report(report.document, args.output)
    return code


def _allow_open_files() -> None:
    """Let as many files be open at once as the system allows: merging opens them all, and 1024 are few segments."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _analyse(
    config: Config, args: argparse.Namespace, reading: Reading
) -> "tuple[Counters, AlertNumbers, Identities, Report | None]":
    with ThreadPoolExecutor(1) as executor:
        # The core compiles lists while the rest of the sensor is imported: a tenth of the time of a short capture.
        lists = executor.submit(ListLoader(), config)
        from sensor import offline  # noqa: PLC0415

        offline.prepare(config, anew=args.output is not None)
        with _progress(reading.files, quiet=args.json) as show:
            report = _new_report(args.output) if args.report else None
            listeners = offline.Listeners(show_progress=show, report=report)
            return *offline.analyse(config, reading, lambda: lists.result().compiled, listeners), report


def _new_report(directory: Path) -> "Report":
    from sensor.report.collect import Report  # noqa: PLC0415  # late: reading alone starts faster

    return Report(directory)


def _write_report(document: dict[str, Any], found: dict[str, Any], args: argparse.Namespace) -> None:
    from sensor.report.write import write  # noqa: PLC0415

    facts = [
        ("files", ", ".join(args.files)),
        ("packets", f"{found['packets']:,}"),
        ("bytes", size(found["bytes"])),
        ("flows", f"{found['flows']:,}"),
        ("alerts", f"{sum(row['incidents'] for row in found['alerts']):,}"),
        *(("warning", warning) for warning in found["warnings"]),
    ]
    write(args.output, "Report over captured traffic", facts, document)


def _print_report(document: dict[str, Any], output: Path) -> None:
    from sensor.report.letters import DIRECTORY  # noqa: PLC0415
    from sensor.report.summary import print_summary  # noqa: PLC0415

    print_summary(document, print_table)
    print(f"\nThe whole report: {printable(output / 'report.html')}, as data: {printable(output / 'report.json')}")
    print(f"Messages: {printable(output / DIRECTORY)}")


def _output_overrides(args: argparse.Namespace) -> dict[str, object]:
    overrides: dict[str, object] = {}
    if args.output is not None:
        output = args.output.absolute()
        overrides = {"eve.path": str(output / "eve.json"), "alerts.log": str(output / "alerts.log")}
    elif args.configuration is None:
        overrides = {"eve.path": None, "alerts.log": None}
    if args.configuration is None:
        # Only a configuration that was asked for may make `read` write to the stores; the daemon's own is no such.
        overrides |= {"pcap_ring.enabled": False, "history.enabled": False}
    return overrides


def _progress(files: Sequence[str], *, quiet: bool) -> AbstractContextManager[ShowProgress | None]:
    if quiet or not sys.stderr.isatty():
        return nullcontext()
    paths = [Path(file) for file in files]
    sized = all(path.is_file() for path in paths)
    from sensor.cli.progress import ByteBar  # noqa: PLC0415

    bar = ByteBar("read", sum(path.stat().st_size for path in paths) if sized else None)
    return _shows_counters(bar)


@contextmanager
def _shows_counters(bar: "ByteBar") -> Iterator[ShowProgress]:
    with bar as show:
        yield lambda counters: show(counters.get("read_bytes", 0))


def summary(counters: "Counters", alerts: "AlertNumbers", identities: "Identities") -> dict[str, Any]:
    """Give what the files held, as one object."""
    ended = counters["flows"]["ended"]
    interim = ended.get("active", 0)
    return {
        "packets": sum(interface["captured_frames"] for interface in counters["interfaces"]),
        "bytes": sum(interface["captured_bytes"] for interface in counters["interfaces"]),
        "flows": sum(ended.values()) - interim + counters["flows"]["active"],
        "hosts": counters["hosts"]["active"],
        "machines": identities.machines(_MOST_MACHINES),
        "places": identities.places(),
        "alerts": [
            {"rule": rule, "severity": severity, "incidents": incidents}
            for (rule, severity), incidents in sorted(
                alerts.opened.items(), key=lambda item: BY_NAME[item[0][0]].number
            )
        ],
        "not_understood": [row for row in counters["decode_errors"] if row["frames"]],
        "analysis": dict(counters["analysis"]),
        "overflows": {
            "flows": counters["analysis"]["table_full"] + ended.get("evicted", 0),
            "hosts": counters["hosts"]["evicted"],
            "incidents": alerts.overflowed,
            "fragments": counters["fragments_forgotten"],
            "layers": counters["flows_without_layers"],
            "sources": counters["frames_without_source"],
            "identities": identities.numbers().evicted,
        },
        "warnings": [*counters.get("warnings", []), *filter(None, [counters.get("error")])],
    }


def _report(found: dict[str, Any], *, as_json: bool) -> int:
    for warning in found["warnings"]:
        print(f"spanwatch: warning: {printable(warning)}", file=sys.stderr)
    full = ", ".join(table for table, left_out in found["overflows"].items() if left_out)
    if full:
        print(f"spanwatch: warning: full tables: {full}; see flows.max and hosts.max", file=sys.stderr)
    if as_json:
        print_json([found])
    else:
        _print_summary(found)
    return ExitCode.INPUT_OUTPUT if found["warnings"] and not found["packets"] else ExitCode.OK


def _print_summary(found: dict[str, Any]) -> None:
    rows = [
        ("packets", f"{found['packets']:,}"),
        ("bytes", size(found["bytes"])),
        ("flows", f"{found['flows']:,}"),
        ("hosts", f"{found['hosts']:,}"),
    ]
    rows += [(f"alerts {row['rule']}", f"{row['incidents']:,} ({row['severity']})") for row in found["alerts"]]
    rows += [
        (f"not understood: {row['layer']}", f"{row['frames']:,} frames ({row['error']})")
        for row in found["not_understood"]
    ]
    rows += [("place", place_text(place)) for place in found["places"]]
    print_table(("", ""), rows)
    if found["machines"]:
        print()
        _print_machines(found["machines"])


def _print_machines(machines: list[dict[str, Any]]) -> None:
    shown = [
        (row["ip"], row["name"], row["mac"], row["vendor"], stamp(row["first_seen_ns"]), stamp(row["last_seen_ns"]))
        for row in machines[:_SHOWN_MACHINES]
    ]
    print_table(("host", "name", "mac", "vendor", "first seen", "last seen"), shown)
    if len(machines) > _SHOWN_MACHINES:
        print(f"and {len(machines) - _SHOWN_MACHINES:,} more: --json prints all")
