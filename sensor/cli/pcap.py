"""`spanwatch pcap`: packets out of the ring."""

import argparse
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from ipaddress import ip_address

from sensor.alerts.text import counted, size, stamp
from sensor.cli import CommandError, ExitCode, describe
from sensor.cli.options import add_configuration_option, read_configuration
from sensor.cli.output import print_json, printable
from sensor.config import Config
from sensor.pcap.counts import counts_of_daemon
from sensor.pcap.search import Found, PacketQuestion, PacketSearch, Plan
from sensor.pcap.times import moment_ns

_HIGHEST_PORT = 65_535
_HIGHEST_VLAN = 4095
_MOST_PACKETS = 1_000_000_000_000


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "pcap",
        description="Write the packets of a host, conversation or time out of the ring. Addresses, ports and the "
        "Community ID are those of the innermost packet, an address also that of a tunnel around it; both directions, "
        "fragments, and ICMP errors about the conversation are included. The daemon may run or not.",
        epilog="example: spanwatch pcap --host 10.20.3.44 --peer 203.0.113.9 --since 2h -w - | tshark -r -",
    )
    add_configuration_option(parser)
    parser.add_argument("--host", type=_address, metavar="A", help="an end of the packet, or of a tunnel around it")
    parser.add_argument("--peer", type=_address, metavar="B", help="the other end; with --host")
    parser.add_argument("--port", type=_number(1, _HIGHEST_PORT), metavar="N", help="port of either end")
    parser.add_argument("--community-id", metavar="ID", help="as in eve.json; quicker with --host or times")
    parser.add_argument("--vlan", type=_number(0, _HIGHEST_VLAN), metavar="N", help="a tag of the frame, at any depth")
    parser.add_argument(
        "--filter", dest="expression", default="", metavar="BPF", help="over the frame as captured, as in tcpdump -r"
    )
    parser.add_argument("--since", metavar="T", help="2h (ago), 07:46 (today), 2026-11-22T07:46; local unless a zone")
    parser.add_argument("--until", metavar="T", help="the latest time, written likewise")
    parser.add_argument("--count", type=_number(1, _MOST_PACKETS), metavar="N", help="the first N packets only")
    parser.add_argument("--all", action="store_true", help="the whole ring, where nothing else bounds it")
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")
    parser.add_argument(
        "-w", dest="output", required=True, metavar="FILE", help=".pcap or .pcapng to write; - is standard output"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Search; 1 if nothing was found."""
    if args.json and args.output == "-":
        raise CommandError(ExitCode.USAGE, "--json and -w - both want standard output: name a file")
    config = read_configuration(args)
    try:
        question = _question(args)
        search = PacketSearch(config, question)
        if not args.all and not question.is_bounded:
            raise CommandError(ExitCode.USAGE, _unbounded(search.plan))
        with _progress(search.plan["read_bytes"]) as show:
            found = search.write(args.output, show, counts_of_daemon(config.api.socket))
    except ValueError as error:
        raise CommandError(ExitCode.USAGE, printable(error)) from error
    except BrokenPipeError:
        raise  # whoever read the packets has seen enough
    except OSError as error:
        raise CommandError(ExitCode.INPUT_OUTPUT, describe(error)) from error
    return _report(config, search.plan, found, args)


def _question(args: argparse.Namespace) -> PacketQuestion:
    now_ns = time.time_ns()
    return PacketQuestion(
        host=args.host,
        peer=args.peer,
        port=args.port,
        community_id=args.community_id,
        vlan=args.vlan,
        filter=args.expression,
        since_ns=moment_ns(args.since, now_ns) if args.since else 0,
        until_ns=moment_ns(args.until, now_ns) if args.until else None,
        limit_packets=args.count,
    )


def _unbounded(plan: Plan) -> str:
    files = counted(plan["segments"], "file")
    return f"this would read the whole ring, {size(plan['bytes'])} in {files}: say what to look for, or add --all"


def _report(config: Config, plan: Plan, found: Found, args: argparse.Namespace) -> int:
    for note in found["notes"]:
        print(f"spanwatch: {printable(note)}", file=sys.stderr)
    if args.json:
        print_json([{**found, "file": args.output if found["packets"] else None, "plan": plan}])
    elif found["packets"]:
        first, last = stamp(found["first_ns"]), stamp(found["last_ns"])
        packets = counted(found["packets"], "packet")
        read = f"{size(found['read_bytes'])} of {size(plan['bytes'])} read"
        print(f"{packets}, {size(found['bytes'])}, from {first} to {last}; {read}", file=sys.stderr)
    else:
        where = config.pcap_ring.directory
        print(f"spanwatch: nothing found in {where} ({counted(plan['segments'], 'file')})", file=sys.stderr)
    return ExitCode.OK if found["packets"] else ExitCode.NO


def _progress(total_bytes: int) -> AbstractContextManager[Callable[[int], None]]:
    if not sys.stderr.isatty():
        return nullcontext(lambda _: None)
    from sensor.cli.progress import ByteBar  # noqa: PLC0415

    return ByteBar("search", total_bytes)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no IP address") from None


def _number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not lowest <= int(text[:20]) <= highest:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {lowest} to {highest}")
        return int(text)

    return read
