"""`spanwatch check`: whether the sensor would start with this configuration."""

import argparse
import sys
from collections.abc import Iterator, Sequence

from sensor.cli import ExitCode
from sensor.cli.options import add_configuration_option, load_configuration
from sensor.cli.output import print_json, print_table, printable
from sensor.config import Config, ConfigError, engine_settings
from sensor.config.errors import Problem
from sensor.config.units import format_size
from sensor.watchlist import WatchlistStore
from sensor.watchlist.load import list_files
from sensor.watchlist.store import ListSummary
from sensor.web.rules import load_rules
from sensor.web.samples import wrong_samples

_SHOWN_REFUSALS = 20


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check",
        description="Check configuration, filters and lists. Every error is printed as file:line:column: key: reason, "
        "and the exit code is then 78. Refused lines of a list that is otherwise good are only mentioned.",
        epilog="example: spanwatch check -c /etc/spanwatch/spanwatch.yaml",
    )
    add_configuration_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Check everything; 0 or 78."""
    summaries: Sequence[ListSummary] = ()
    config = None
    problems = []
    try:
        config = load_configuration(args)
        _check_rules(config)
        summaries = WatchlistStore().load(config.watchlists).summaries
    except ConfigError as error:
        problems = list(map(str, error.problems))
    for line in problems:
        print(line, file=sys.stderr)
    if args.json:
        watched = dict(_watched(config, summaries)) if config and not problems else None
        print_json([{"ok": not problems, "problems": problems, "watched": watched}])
    elif config and not problems:
        _mention_refusals(config, summaries)
        print_table(("what", "how"), [(key, _line(value)) for key, value in _watched(config, summaries)])
    return ExitCode.CONFIGURATION if problems else ExitCode.OK


def _check_rules(config: Config) -> None:
    """See that the rules of web attacks can be used and match their own samples; raises ConfigError."""
    rules = load_rules(config.detect.web.rules)
    wrong = [
        Problem("detect.web.rules", None, rule.name, f"the sample {sample!r} {reason}")
        for rule, sample, reason in (wrong_samples(rules) if config.detect.web.rules else ())
    ]
    if wrong:
        raise ConfigError(wrong)


def _watched(config: Config, summaries: Sequence[ListSummary]) -> Iterator[tuple[str, object]]:
    """Give what would be watched, by what and for what."""
    settings = engine_settings(config, "live")
    yield (
        "interfaces",
        [
            f"{entry['name']} ({entry['backend']}{', filter ' + entry['filter'] if entry['filter'] else ''})"
            for entry in settings["interfaces"]
        ],
    )
    yield "internal", settings["networks"]["internal"]
    yield "web servers", settings["web"]["servers"]
    yield "web rules", str(len(settings["web"]["rules"]))
    yield "mail servers", settings["networks"]["mail_servers"]
    ring = config.pcap_ring
    cut = f", the first {format_size(ring.flow_cutoff)} of a flow" if ring.flow_cutoff else ""
    yield "pcap ring", f"{ring.directory}, at most {format_size(ring.max_size)}{cut}" if ring.enabled else "off"
    yield "watchlists", [f"{item['name']} ({item['entries']} entries)" for item in summaries]
    yield "alert log", str(config.alerts.log) if config.alerts.log else "off"
    yield "event log", str(config.eve.path) if config.eve.path else "off"
    yield (
        "metrics",
        f"http{'s' if config.metrics.tls else ''}://{config.metrics.listen}/metrics"
        if (config.metrics.listen)
        else "off",
    )


def _line(value: object) -> str:
    return (", ".join(value) or "none") if isinstance(value, list) else str(value)


def _mention_refusals(config: Config, summaries: Sequence[ListSummary]) -> None:
    """Say which lines of good lists are not used; a feed's slip must not keep the sensor from starting."""
    paths = {file.name: file.path for file in list_files(config.watchlists)}
    for item in summaries:
        place = printable(paths.get(item["name"], item["name"]))
        for line, column, reason in item["refused"][:_SHOWN_REFUSALS]:
            print(f"{place}:{line}:{column}: not used: {printable(reason)}", file=sys.stderr)
        rest = item["refused_total"] - min(len(item["refused"]), _SHOWN_REFUSALS)
        if rest > 0:
            print(f"{place}: {rest} more; `spanwatch watchlist check {place}` lists them", file=sys.stderr)
