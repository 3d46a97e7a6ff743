"""`status`, `hosts`, `flows` and `alerts`: ask the running daemon through its Unix socket."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from sensor.alerts.text import NS_PER_SECOND, clock, counted, endpoint, pace, size
from sensor.cli import CommandError, ExitCode, host_page
from sensor.cli.asking import add_socket_option, ask_daemon, socket_of
from sensor.cli.output import place_text, print_json, print_table, printable

Row = Mapping[str, Any]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the four commands."""
    status = _add(commands, "status", _status, "How the running sensor is; exit code 1 if it is not healthy.")
    status.epilog = "example: spanwatch status --json"
    for name, run, what in (("hosts", _hosts, "Hosts"), ("flows", _flows, "Live connections")):
        table = _add(commands, name, run, f"{what} that the running sensor sees.")
        table.epilog = f"example: spanwatch {name} 10.20.0.0/16 443 --sort bytes --limit 20"
        table.add_argument(
            "terms", nargs="*", metavar="TERM", help="address, network, port, protocol or vlan:ID; all must fit"
        )
        table.add_argument("--filter", default="", metavar="TERMS", help="the same, in one piece")
        table.add_argument(
            "--sort", default="rate", metavar="BY", help="rate, bytes, packets, start, last, flows or peers"
        )
        _add_limit(table)
        if name == "hosts":
            table.add_argument("--host", metavar="ADDRESS", help="the page of one host: names, users, agents, machines")
    _add_alerts(commands)


def _add_alerts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    alerts = _add(commands, "alerts", _alerts, "Incidents of the running sensor, the latest first.")
    alerts.epilog = "example: spanwatch alerts --since 2h --severity medium 10.20.0.0/16"
    alerts.add_argument("host", nargs="?", metavar="HOST", help="address or network of the host or of the remote")
    alerts.add_argument("--all", action="store_true", help="also the latest that were closed since the start")
    alerts.add_argument(
        "--since", metavar="T", help="open and closed, seen in the last 2h or since 2026-11-22T07:46:05Z"
    )
    alerts.add_argument("--rule", metavar="NAME", help="a rule such as smtp.bulk, or smtp for all of them")
    alerts.add_argument("--severity", metavar="WORD", help="high, medium, low or info: this severe or more")
    alerts.add_argument("--sort", default="last", metavar="BY", help="last, opened or severity (default: last)")
    _add_limit(alerts)


def _add_limit(command: argparse.ArgumentParser) -> None:
    command.add_argument("--limit", default="50", metavar="N", help="rows at most (default: 50)")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, description=text)
    add_socket_option(command)
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(run=run)
    return command


def _status(arguments: argparse.Namespace) -> int:
    status: dict[str, Any] = ask_daemon(socket_of(arguments), "status")
    if arguments.json:
        print_json([status])
    else:
        print_table(("", ""), _status_rows(status))
    return ExitCode.OK if status["healthy"] else ExitCode.NO


def _status_rows(status: Row) -> list[tuple[str, object]]:
    interfaces = [(row["name"], _interface(row)) for row in status["interfaces"]]
    ring, kept = status["ring"], status["evidence"]
    lists = status["watchlist"]["lists"]
    return [
        ("healthy", "yes" if status["healthy"] else "no"),
        *(("problem", problem) for problem in status["problems"]),
        ("mirror", status["mirror"]["verdict"]),
        *(("place", place_text(place)) for place in status["mirror"]["places"]),
        *interfaces,
        ("ring", f"{size(ring['bytes'])} in {counted(ring['segments'], 'file')}{_reach(status)}" if ring else "off"),
        *_cut(status),
        ("evidence", f"{size(kept['bytes'])} in {counted(kept['captures'], 'capture')}" if kept else "off"),
        ("flows", f"{status['flows']['active']:,} of {status['flows']['max']:,}"),
        ("hosts", f"{status['hosts']['active']:,} of {status['hosts']['max']:,}"),
        ("indicators", f"{sum(row['indicators'] for row in lists):,}"),
        ("incidents", f"{status['alerts']['open']:,} open, {status['alerts']['opened']:,} since {status['started']}"),
        ("version", status["version"]),
    ]


def _interface(row: Row) -> str:
    frames = f"{row['captured_frames']:,} frames, {size(row['captured_bytes'])}"
    return f"{row['state']}, {frames}, {row['kernel_dropped_frames']:,} dropped by the kernel"


def _reach(status: Row) -> str:
    oldest_ns = status["ring"]["oldest_time_ns"]
    if not oldest_ns:
        return ""
    return f", reaches back {pace(max(0, status['time_ns'] - oldest_ns) / NS_PER_SECOND)}"


def _cut(status: Row) -> Iterator[tuple[str, object]]:
    frames = status["fates"]["cut"]
    if frames:
        yield (
            "not in the ring",
            f"{counted(frames, 'frame')}, {size(status['ring_cut_bytes'])}, by pcap_ring.flow_cutoff",
        )


def _hosts(arguments: argparse.Namespace) -> int:
    if arguments.host is not None:
        return _host_page(arguments)
    columns = (
        "host",
        "name",
        "mac",
        "vendor",
        "vlan",
        "user",
        "last seen",
        "flows",
        "peers",
        "out",
        "in",
        "out/s",
        "in/s",
        "serves",
    )
    return _print_rows(arguments, "hosts", columns, _host_cells)


def _host_page(arguments: argparse.Namespace) -> int:
    try:
        address = ip_address(arguments.host)
    except ValueError:
        message = f"--host: '{printable(arguments.host)}' is no IPv4 or IPv6 address"
        raise CommandError(ExitCode.USAGE, message) from None
    page: Row = ask_daemon(socket_of(arguments), f"hosts/{address}")
    if arguments.json:
        print_json([page])
    else:
        print_table(host_page.COLUMNS, host_page.page_rows(page))
    return ExitCode.OK


def _host_cells(row: Row) -> Sequence[object]:
    return (
        row["ip"],
        row["name"],
        row["mac"],
        row["vendor"],
        _vlan(row["vlan"]),
        row["users"][-1]["text"] if row["users"] else None,
        clock(row["last_seen_ns"]),
        row["flows"],
        row["peers"],
        size(row["bytes_out"]),
        size(row["bytes_in"]),
        size(row["bytes_out_per_second"]),
        size(row["bytes_in_per_second"]),
        ", ".join(row["ports_served"]),
    )


def _flows(arguments: argparse.Namespace) -> int:
    columns = (
        "proto", "from", "to", "app", "name", "vlan", "state", "last seen", "sent", "received", "sent/s", "received/s",
    )  # fmt: skip
    return _print_rows(arguments, "flows", columns, _flow_cells)


def _flow_cells(row: Row) -> Sequence[object]:
    return (
        row["proto"],
        endpoint(row["orig_ip"], row["orig_port"] or None),
        endpoint(row["resp_ip"], row["resp_port"] or None),
        row["app_proto"],
        row["name"],
        _vlan(row["vlan"]),
        row["state"],
        clock(row["last_ns"]),
        size(row["orig_bytes"]),
        size(row["resp_bytes"]),
        size(row["orig_bytes_per_second"]),
        size(row["resp_bytes_per_second"]),
    )


def _print_rows(
    arguments: argparse.Namespace, table: str, columns: Sequence[str], cells: Callable[[Row], Sequence[object]]
) -> int:
    terms = " ".join([*arguments.terms, arguments.filter]).strip()
    question = {"filter": terms, "order": arguments.sort, "limit": arguments.limit}
    rows: list[Row] = ask_daemon(socket_of(arguments), table, **question)
    if arguments.json:
        print_json(rows)
    else:
        print_table(columns, map(cells, rows))
    return ExitCode.OK


def _alerts(arguments: argparse.Namespace) -> int:
    wanted = {name: getattr(arguments, name) for name in ("since", "rule", "severity", "host", "limit")}
    question = {name: text for name, text in wanted.items() if text is not None}
    state = "all" if arguments.all or arguments.since else "open"
    incidents: list[Row] = ask_daemon(socket_of(arguments), "alerts", state=state, order=arguments.sort, **question)
    if arguments.json:
        print_json(incidents)
        return ExitCode.OK
    columns = (
        "id", "severity", "rule", "host", "name", "mac", "indicator", "stage", "contacts", "state", "opened",
        "last seen",
    )  # fmt: skip
    print_table(columns, map(_alert_cells, incidents))
    return ExitCode.OK


def _alert_cells(row: Row) -> Sequence[object]:
    contacts = row.get("contacts", row.get("connections", row.get("count")))
    return (
        f"#{row['id']}",
        row["severity"],
        row["rule"],
        row["host"] or None,
        *_name_and_mac(row),
        row["indicator"] or None,
        row.get("stage", row.get("text")),
        contacts,
        "closed" if row["closed"] else "open",
        _second(row["opened"]),
        _second(row["last_seen"]),
    )


def _second(utc: str) -> str:
    """Cut a time of the API to the second."""
    return f"{utc[:19].replace('T', ' ')} UTC"


def _name_and_mac(row: Row) -> tuple[object, object]:
    machine = row["machine"]
    return (machine["name"], machine["mac"]) if machine else (None, None)


def _vlan(tags: Sequence[int]) -> str | None:
    return ".".join(map(str, tags)) or None
