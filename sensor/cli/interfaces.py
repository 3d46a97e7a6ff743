"""`spanwatch interfaces`: what can be listened on."""

import argparse
from collections.abc import Mapping

from sensor.capture.devices import Device, devices
from sensor.cli import ExitCode
from sensor.cli.output import print_json, print_table


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command."""
    parser = commands.add_parser(
        "interfaces",
        description="List the network interfaces and whether the sensor could capture from them now.",
        epilog="example: spanwatch interfaces --json",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object a line")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """List the interfaces; 1 if there are none."""
    found = devices()
    if args.json:
        print_json(map(_as_object, found))
    else:
        print_table(("name", "state", "speed", "driver", "MAC", "MTU", "would capture"), map(_as_row, found))
    return ExitCode.OK if found else ExitCode.NO


def _as_object(device: Device) -> Mapping[str, object]:
    return {
        "name": device.name,
        "state": device.state,
        "speed_mbit": device.speed_mbit,
        "driver": device.driver,
        "mac": device.mac,
        "mtu_bytes": device.mtu_bytes,
        "would_capture": device.obstacle is None,
        "reason": device.obstacle,
    }


def _as_row(device: Device) -> tuple[object, ...]:
    speed = f"{device.speed_mbit} Mbit/s" if device.speed_mbit else None
    answer = "yes" if device.obstacle is None else f"no: {device.obstacle}"
    return device.name, device.state, speed, device.driver, device.mac, device.mtu_bytes, answer
