"""Names and addresses that are read from real captures are those that tshark reads."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.peers


def summary(spanwatch: Path, *options: str) -> dict[str, Any]:
    command = [str(spanwatch), "read", "--json", *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def fields(capture: Path, filter_text: str, *names: str) -> set[tuple[str, ...]]:
    """Columns of tshark, of the packets that pass the filter."""
    columns = [option for name in names for option in ("-e", name)]
    command = ["tshark", "-n", "-r", str(capture), "-Y", filter_text, "-T", "fields", "-E", "occurrence=f", *columns]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {tuple(line.split("\t")) for line in done.stdout.splitlines()}


@pytest.mark.parametrize("name", ["ndpi__1kxun.pcap", "ndpi__http2.pcapng"])
def test_names_given_by_dhcp(corpus: Path, spanwatch: Path, name: str) -> None:
    capture = corpus / "pcap" / name
    told = fields(capture, "dhcp.option.hostname && !(dhcp.ip.client == 0.0.0.0)", "dhcp.ip.client", "dhcp.hw.mac_addr")
    machines = {(row["ip"], row["mac"]) for row in summary(spanwatch, str(capture))["machines"] if row["name"]}
    assert told <= machines


@pytest.mark.parametrize("name", ["ndpi__icmp-tunnel.pcap", "tcpdump__vxlan.pcap"])
def test_pairs_told_by_arp(corpus: Path, spanwatch: Path, name: str) -> None:
    capture = corpus / "pcap" / name
    told = fields(capture, "arp && !(arp.src.proto_ipv4 == 0.0.0.0)", "arp.src.proto_ipv4", "arp.src.hw_mac")
    assert told
    assert told <= {(row["ip"], row["mac"]) for row in summary(spanwatch, str(capture))["machines"]}


def test_switches_and_ports_told_by_lldp_and_cdp(corpus: Path, spanwatch: Path) -> None:
    for name, filter_text, columns in (
        ("tcpdump__erspan-type-i-4.pcap", "lldp", ("lldp.tlv.system.name", "lldp.port.id")),
        ("pcapplusplus__VlanPackets.pcap", "cdp", ("cdp.deviceid", "cdp.portid")),
    ):
        capture = corpus / "pcap" / name
        places = {(place["switch"], place["port"]) for place in summary(spanwatch, str(capture))["places"]}
        assert places == fields(capture, filter_text, *columns)
