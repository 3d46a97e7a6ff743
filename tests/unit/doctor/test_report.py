"""Findings, verdict and what they look like, from made-up snapshots and real output of ethtool."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sensor.capture.devices import Device
from sensor.doctor import mirror_checks, nic_checks
from sensor.doctor.ethtool import Card, Feature, parse_features, parse_pause, parse_rings, parse_statistics
from sensor.doctor.nic import Nic, ipv6_addresses, packet_socket_inodes
from sensor.doctor.report import Report, examine, text_lines
from sensor.doctor.watch import Watch

DEVICE = Device("eth1", "up", 1000, "igb", "00:1b:44:11:3a:b7", 9000, 1)
NIC = Nic(DEVICE, duplex="full")
SEEN = Watch(seconds=60, frames=1000, bytes=500_000, peak_bits_per_second=1e6)
FEATURES = """\
Features for eth0:
rx-checksumming: on [fixed]
tx-checksumming: on
\ttx-checksum-ip-generic: on
tcp-segmentation-offload: on
generic-receive-offload: on
large-receive-offload: off [fixed]
rx-gro-hw: on [fixed]
"""
RINGS = """\
Ring parameters for eth0:
Pre-set maximums:
RX:\t\t4096
RX Mini:\tn/a
TX:\t\t4096
Current hardware settings:
RX:\t\t256
RX Mini:\tn/a
TX:\t\t256
"""


def report(nic: Nic = NIC, watch: Watch = SEEN, after: Nic | None = None, speed: int | None = None) -> Report:
    return examine(nic, after or nic, watch, speed)


def found(given: Report) -> dict[str, str]:
    return {finding.rule: finding.seen for finding in given.findings}


def mirror(verdict: str, rule: str, **figures: Any) -> Watch:
    reason = {"rule": rule, "source": "eth1", "blind": verdict == "blind", "figures": figures}
    return replace(SEEN, mirror={"verdict": verdict, "reasons": [reason], "sources": []})


def test_features_rings_and_pause_are_read_as_ethtool_prints_them() -> None:
    features = parse_features(FEATURES)
    assert features["generic-receive-offload"] == Feature(on=True, fixed=False)
    assert features["rx-gro-hw"] == Feature(on=True, fixed=True)
    assert not features["large-receive-offload"].on
    assert parse_rings(RINGS) == (256, 4096)
    assert parse_rings("") == (None, None)
    assert parse_rings("Pre-set maximums:\nRX:\tn/a\nCurrent hardware settings:\nRX:\tn/a\n") == (None, None)
    assert parse_pause("Pause parameters for eth0:\nAutonegotiate:\toff\nRX:\t\toff\nTX:\t\ton\n")
    assert not parse_pause("Pause parameters for eth0:\nAutonegotiate:\toff\nRX:\t\ton\nTX:\t\toff\n")
    assert parse_statistics("NIC statistics:\n     rx_drops: 7\n     rx_kicks: n/a\n") == {"rx_drops": 7}


def test_addresses_and_listeners_are_read_from_procfs() -> None:
    table = (
        "fe80000000000000021b44fffe113ab7 03 40 20 80     eth1\n00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert ipv6_addresses(table, "eth1") == ("fe80::21b:44ff:fe11:3ab7",)
    sockets = """\
sk               RefCnt Type Proto  Iface R Rmem   User   Inode
ffff8881 3      3    0003   2     1 0      0      4711
ffff8882 3      3    0003   3     1 0      0      4712
"""
    assert packet_socket_inodes(sockets, 2) == {"4711"}


def test_a_prepared_card_and_a_whole_mirror_need_no_change() -> None:
    given = report()
    assert (given.verdict, given.findings) == ("ok", [])
    first, *_, last = text_lines(given)
    assert (first, last) == ("eth1: ok", "  nothing to change")


def test_merging_is_turned_off_by_one_command_and_what_is_fixed_is_a_remark() -> None:
    given = report(replace(NIC, card=Card(features=parse_features(FEATURES))))
    assert given.verdict == "degraded"
    assert given.findings[0].commands[0] == "ethtool -K eth1 gro off"
    assert [finding.severity.word for finding in given.findings] == ["medium", "info", "info"]


@pytest.mark.parametrize(
    ("nic", "rule", "verdict"),
    [
        (replace(NIC, device=replace(DEVICE, state="no carrier")), "nic.link", "degraded"),
        (replace(NIC, duplex="half"), "nic.duplex", "degraded"),
        (replace(NIC, card=Card(installed=False)), "nic.ethtool", "degraded"),
        (replace(NIC, card=Card(sends_pause=True)), "nic.pause", "degraded"),
        (replace(NIC, joins_ipv6=True), "nic.ipv6", "degraded"),
        (replace(NIC, ipv4="192.0.2.2", joins_ipv6=True), "nic.address", "ok"),
        (replace(NIC, answers_arp=True), "nic.arp", "ok"),
        (replace(NIC, card=Card(rx_ring_slots=256, rx_ring_slots_max=4096)), "nic.ring", "ok"),
        (replace(NIC, device=replace(DEVICE, mtu_bytes=1500)), "nic.mtu", "ok"),
        (replace(NIC, rx_queues=8), "nic.queues", "ok"),
        (replace(NIC, listeners=("tcpdump (99)",)), "nic.listeners", "ok"),
    ],
)
def test_each_setting_is_judged(nic: Nic, rule: str, verdict: str) -> None:
    given = report(nic)
    assert (list(found(given)), given.verdict) == ([rule], verdict)


def test_only_errors_that_rise_during_the_watch_count() -> None:
    before = replace(NIC, errors={"rx_crc_errors": 5, "rx_missed_errors": 9}, card=Card(statistics={"rx_drops": 1}))
    after = replace(NIC, errors={"rx_crc_errors": 7, "rx_missed_errors": 9}, card=Card(statistics={"rx_drops": 4}))
    assert found(report(before, after=after)) == {"nic.damaged": "rx_crc_errors +2", "nic.overrun": "rx_drops +3"}
    assert found(report(after, after=after)) == {}


def test_silence_is_blind_with_its_likely_causes() -> None:
    given = report(watch=Watch(seconds=60))
    assert (given.verdict, found(given)) == ("blind", {"mirror.silent": "no frame in 60 s"})
    assert "session was not started" in given.findings[0].meaning


def test_the_cores_reasons_become_findings_with_their_figures() -> None:
    given = report(watch=mirror("degraded", "mirror.one-sided", tcp_flows=1200, one_sided_flows=1180, share=0.983))
    assert given.verdict == "degraded"
    assert found(given) == {"mirror.one-sided": "eth1: tcp flows 1,200, one sided flows 1,180, share 0.983"}
    assert report(watch=mirror("blind", "mirror.degraded")).verdict == "blind"
    (unknown,) = report(watch=mirror("degraded", "mirror.new", vlans=[20, 30])).findings
    assert unknown.seen == "eth1: vlans 20, 30"


@pytest.mark.parametrize(("peak", "speed", "full"), [(8.1e8, None, True), (7.9e8, None, False), (8.1e7, 10**8, True)])
def test_a_nearly_full_observing_port_is_said(peak: float, speed: int | None, full: bool) -> None:
    given = report(watch=replace(SEEN, peak_bits_per_second=peak), speed=speed)
    assert ("mirror.load" in found(given)) is full


def test_a_tunnel_needs_a_larger_mtu_and_kernel_drops_are_the_machines_own() -> None:
    small = replace(NIC, device=replace(DEVICE, mtu_bytes=1550))
    assert found(report(small, replace(SEEN, encapsulations=("erspan-ii",)))) == {
        "nic.mtu": "MTU 1550, and the mirror comes in a tunnel"
    }
    assert found(report(small)) == {}
    assert "sensor.kernel-drops" in found(report(watch=replace(SEEN, kernel_dropped_frames=3)))


def test_the_object_has_the_keys_that_scripts_read() -> None:
    given = report(watch=mirror("degraded", "mirror.loss", sequence_lost_frames=4)).as_object()
    assert set(given) == {"interface", "verdict", "findings", "nic", "mirror"}
    (finding,) = given["findings"]
    assert set(finding) == {"rule", "severity", "seen", "meaning", "advice", "commands", "see"}
    assert given["mirror"]["verdict"] == "degraded"
    assert given["mirror"]["frames"] == 1000


def test_every_finding_points_to_an_anchor_of_the_setup_page() -> None:
    root = Path(__file__).parents[3]
    anchors = set(re.findall(r'<a id="([a-z-]+)">', (root / "docs/mirror-setup.md").read_text()))
    sources = "".join(Path(module.__file__ or "").read_text() for module in (nic_checks, mirror_checks))
    rules = set(re.findall(r'"((?:mirror|nic|sensor)\.[a-z-]+)"', sources))
    assert {rule.replace(".", "-") for rule in rules} <= anchors
    assert len(rules) > 15
