"""`status`, `hosts`, `flows` and `alerts`: ask the running daemon through its Unix socket."""

import argparse
import http.client
import json
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sensor.alerts.text import NS_PER_SECOND, clock, counted, endpoint, pace, size
from sensor.cli import CommandError, ExitCode
from sensor.cli.options import add_configuration_option, read_configuration
from sensor.cli.output import print_json, print_table, printable

_TIMEOUT_SECONDS = 10.0
_LARGEST_ANSWER_BYTES = 64 << 20

Row = Mapping[str, Any]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the four commands."""
    status = _add(commands, "status", _status, "How the running sensor is; exit code 1 if it is not healthy.")
    status.epilog = "example: spanwatch status --json"
    alerts = _add(commands, "alerts", _alerts, "Open incidents of the running sensor, the latest first.")
    alerts.epilog = "example: spanwatch alerts"
    for name, run, what in (("hosts", _hosts, "Hosts"), ("flows", _flows, "Live connections")):
        table = _add(commands, name, run, f"{what} that the running sensor sees.")
        table.epilog = f"example: spanwatch {name} --filter '10.20.0.0/16 443' --sort bytes --limit 20"
        table.add_argument(
            "--filter", default="", metavar="TERMS", help="address, network, port, protocol or vlan:ID; all must fit"
        )
        table.add_argument(
            "--sort", default="rate", metavar="BY", help="rate, bytes, packets, start, last, flows or peers"
        )
        table.add_argument("--limit", default="50", metavar="N", help="rows at most (default: 50)")


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    text: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, description=text)
    add_configuration_option(command)
    command.add_argument("--socket", type=Path, metavar="PATH", help="ask this socket, not that of the configuration")
    command.add_argument("--json", action="store_true", help="print one JSON object a line")
    command.set_defaults(run=run)
    return command


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(path: Path, question: str, **parameters: str) -> Any:  # noqa: ANN401
    """Ask the daemon at a socket; CommandError says what to do if it does not answer or refuses."""
    connection = _UnixConnection(path)
    try:
        connection.request("GET", f"/api/{question}?{urlencode(parameters)}" if parameters else f"/api/{question}")
        response = connection.getresponse()
        answer = json.loads(response.read(_LARGEST_ANSWER_BYTES))
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        step = "start it with `spanwatch run` or `systemctl start spanwatch`, or name its configuration with -c"
        raise CommandError(ExitCode.SYSTEM, f"no daemon answers at {path} ({reason}): {step}") from error
    finally:
        connection.close()
    if response.status == http.HTTPStatus.BAD_REQUEST:
        raise CommandError(ExitCode.USAGE, printable(answer.get("error")))
    if response.status != http.HTTPStatus.OK:
        raise CommandError(ExitCode.SYSTEM, f"the daemon failed to answer: {printable(answer.get('error'))}")
    return answer


def _socket_of(arguments: argparse.Namespace) -> Path:
    if arguments.socket is not None:
        return Path(arguments.socket)
    path = read_configuration(arguments).api.socket
    if path is None:
        raise CommandError(ExitCode.CONFIGURATION, "api.socket is null: the daemon cannot be asked; give it a path")
    return path


def _status(arguments: argparse.Namespace) -> int:
    status: dict[str, Any] = ask(_socket_of(arguments), "status")
    if arguments.json:
        print_json([status])
    else:
        print_table(("", ""), _status_rows(status))
    return ExitCode.OK if status["healthy"] else ExitCode.NO


def _status_rows(status: Row) -> list[tuple[str, object]]:
    interfaces = [(row["name"], _interface(row)) for row in status["interfaces"]]
    ring = status["ring"]
    lists = status["watchlist"]["lists"]
    return [
        ("healthy", "yes" if status["healthy"] else "no"),
        *(("problem", problem) for problem in status["problems"]),
        ("mirror", status["mirror"]["verdict"]),
        *interfaces,
        ("ring", f"{size(ring['bytes'])} in {counted(ring['segments'], 'file')}{_reach(status)}" if ring else "off"),
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


def _hosts(arguments: argparse.Namespace) -> int:
    columns = ("host", "mac", "vlan", "last seen", "flows", "peers", "out", "in", "out/s", "in/s", "serves")
    return _print_rows(arguments, "hosts", columns, _host_cells)


def _host_cells(row: Row) -> Sequence[object]:
    return (
        row["ip"],
        row["mac"],
        _vlan(row["vlan"]),
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
    question = {"filter": arguments.filter, "order": arguments.sort, "limit": arguments.limit}
    rows: list[Row] = ask(_socket_of(arguments), table, **question)
    if arguments.json:
        print_json(rows)
    else:
        print_table(columns, map(cells, rows))
    return ExitCode.OK


def _alerts(arguments: argparse.Namespace) -> int:
    incidents: list[Row] = ask(_socket_of(arguments), "alerts")
    if arguments.json:
        print_json(incidents)
        return ExitCode.OK
    columns = ("id", "severity", "rule", "host", "indicator", "stage", "contacts", "opened", "last seen")
    print_table(columns, map(_alert_cells, incidents))
    return ExitCode.OK


def _alert_cells(row: Row) -> Sequence[object]:
    contacts = row.get("contacts", row.get("connections", row.get("count")))
    return (
        f"#{row['id']}",
        row["severity"],
        row["rule"],
        row["host"] or None,
        row["indicator"] or None,
        row.get("stage", row.get("text")),
        contacts,
        row["opened"],
        row["last_seen"],
    )


def _vlan(tags: Sequence[int]) -> str | None:
    return ".".join(map(str, tags)) or None
