"""Files and overrides to a configuration, or to every reason why not."""

from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from sensor.config import Config, ConfigError, dump, load
from sensor.config.fields import ListenAddress


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "spanwatch.yaml"


def problems(file: Path, text: str, **overrides: object) -> list[str]:
    """What is said about a text, without the file's name."""
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(file, {key.replace("__", "."): value for key, value in overrides.items()})
    return [line.removeprefix(f"{file}:") for line in str(caught.value).splitlines()]


def test_nothing_given_is_the_defaults(file: Path) -> None:
    file.write_text("")
    assert load(None) == load(file) == Config()


def test_an_empty_group_is_the_defaults(file: Path) -> None:
    file.write_text("capture:\nwatchlists:\nalerts: {suppress: }\ndetect: {smtp: }\n")
    config = load(file)
    assert config == Config(watchlists=())


def test_values_are_read(file: Path) -> None:
    file.write_text("""
capture:
  interfaces: [eth1, {name: eth2, filter: udp, snaplen: 96, ring_memory: 8MiB, promiscuous: false}]
  deduplicate: off
networks: {internal: [10.1.0.0/16, "2001:db8::/32"], mail_servers: [10.1.0.5]}
pcap_ring: {max_age: 2d, segment_time: 1h30m, min_free: 0}
watchlists: [/etc/a.txt, {path: /etc/b.csv, format: feodo, severity: 3, allow_empty: true}]
detect: {mirror: {port_speed: 10Gbit/s, expected_vlans: [20, 30]}, smtp: {reject_ratio: 1}}
alerts: {suppress: [{rule: smtp.fanout, host: 10.1.2.3, until: 2027-01-31, comment: known}], log: null}
metrics: {listen: "[::1]:9670"}
""")
    config = load(file)
    assert [entry.name for entry in config.capture.interfaces] == ["eth1", "eth2"]
    assert config.capture.interfaces[1].snaplen == 96
    assert config.capture.deduplicate == "off"
    assert config.networks.mail_servers == (ip_network("10.1.0.5/32"),)
    assert (config.pcap_ring.max_age, config.pcap_ring.segment_time, config.pcap_ring.min_free) == (172_800, 5400, 0)
    assert [source.path for source in config.watchlists] == [Path("/etc/a.txt"), Path("/etc/b.csv")]
    assert (config.watchlists[0].severity, config.watchlists[1].severity) == (1, 3)
    assert config.detect.mirror.port_speed == 10**10
    assert config.detect.smtp.reject_ratio == 1
    assert config.alerts.suppress[0].until == datetime(2027, 2, 1, tzinfo=UTC)
    assert config.alerts.log is None
    assert config.metrics.listen == ListenAddress("::1", 9670)


OCTAL = "a number with a leading zero is octal to some readers; write it without the zero"


def test_every_problem_is_printed_with_its_place(file: Path) -> None:
    text = "capture:\n  snaplen: far\n  workers: 010\nflows: {max: 0}\nfoo: 1\n"
    assert problems(file, text) == [
        "2:12: capture.snaplen: write a whole number, not far",
        f'3:12: capture.workers: "010": {OCTAL}, or put it in quotes if it is text',
        "4:14: flows.max: must be at least 1",
        "5:1: foo: unknown key",
    ]


LISTEN = "write an address and a port from 1 to 65535, such as 127.0.0.1:9669 or [::1]:9669"
UNTIL = "write a date such as 2027-01-31, or a time with its zone such as 2027-01-31T18:00:00Z"


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("capture: {interfces: [eth1]}", "1:11: capture.interfces", "unknown key; did you mean interfaces?"),
        ("snaplen: 96", "1:1: snaplen", "unknown key; did you mean capture.snaplen?"),
        ("capture: [eth1]", "1:10: capture", "write a group of keys here"),
        ("- capture", "1:1", "write a group of keys here"),
        ("capture: {promiscuous: yes}", "1:24: capture.promiscuous", "write true or false, not yes"),
        ("capture: {promiscuous: 1}", "1:24: capture.promiscuous", "write true or false, not 1"),
        ("capture: {workers: '2'}", "1:20: capture.workers", "write a whole number, not 2"),
        ("capture: {workers: true}", "1:20: capture.workers", "write a whole number, not true"),
        ("capture: {workers: 65}", "1:20: capture.workers", "must be at most 64"),
        ("capture: {backend: pfring}", "1:20: capture.backend", "write afpacket or libpcap"),
        (
            "capture: {ring_memory: 64k}",
            "1:24: capture.ring_memory",
            '"k" is ambiguous; write 64KiB (1024-based) or 64kB (1000-based)',
        ),
        ("capture: {ring_memory: 64KiB}", "1:24: capture.ring_memory", "must be at least 1MiB"),
        (
            "capture: {filter: tcp prot 80}",
            "1:19: capture.filter",
            "can't parse filter expression: syntax error; pcap-filter(7) has the grammar",
        ),
        (
            "capture: {interfaces: [eth1, eth1]}",
            "1:23: capture.interfaces",
            "eth1 is listed twice; name each interface once",
        ),
        (
            "capture: {interfaces: eth1}",
            "1:23: capture.interfaces",
            "write a list, such as [a, b], or one entry a line with a dash before it",
        ),
        (
            "capture: {interfaces: [a/b]}",
            "1:24: capture.interfaces[0].name",
            '"a/b" is not the name of an interface; `spanwatch interfaces` lists them',
        ),
        ("capture: {interfaces: [{filter: udp}]}", "1:24: capture.interfaces[0].name", "is missing"),
        (
            "capture: {interfaces: [{name: a, snaplen: 1}]}",
            "1:43: capture.interfaces[0].snaplen",
            "must be at least 64",
        ),
        ("decapsulation: {vxlan_ports: [70000]}", "1:31: decapsulation.vxlan_ports[0]", "must be at most 65535"),
        (
            "networks: {internal: [10.0.0.1/8]}",
            "1:23: networks.internal[0]",
            "10.0.0.1/8 has bits set beyond its prefix; write 10.0.0.0/8",
        ),
        (
            "networks: {internal: [pc]}",
            "1:23: networks.internal[0]",
            '"pc" is not a network; write one such as 10.0.0.0/8 or fc00::/7',
        ),
        ("pcap_ring: {segment_size: 1KiB}", "1:27: pcap_ring.segment_size", "must be at least 64KiB"),
        (
            "pcap_ring: {max_size: 256MiB}",
            "1:23: pcap_ring.max_size",
            "must be at least 512MiB, twice pcap_ring.segment_size",
        ),
        (
            "pcap_ring: {segment_time: 300}",
            "1:27: pcap_ring.segment_time",
            "300 has no unit; write 300s for seconds or 300m for minutes",
        ),
        ("flows: {udp_idle: 0}", "1:19: flows.udp_idle", "must be at least 100ms"),
        ("watchlists: [{path: a, severity: 5}]", "1:34: watchlists[0].severity", "must be at most 4"),
        ("detect: {smtp: {reject_ratio: 2}}", "1:31: detect.smtp.reject_ratio", "must be at most 1"),
        ("detect: {smtp: {bulk_servers: 0}}", "1:31: detect.smtp.bulk_servers", "must be at least 1"),
        (
            "alerts: {suppress: [{comment: all}]}",
            "1:21: alerts.suppress[0]",
            "give a rule, host, indicator or remote; an empty entry would suppress every alert",
        ),
        (
            "alerts: {suppress: [{rule: smtp.bluk}]}",
            "1:28: alerts.suppress[0].rule",
            'no rule "smtp.bluk"; did you mean smtp.bulk?',
        ),
        (
            "alerts: {suppress: [{host: 10.0.0.1, until: 2027-01-01T00:00:00}]}",
            "1:45: alerts.suppress[0].until",
            f'"2027-01-01T00:00:00" has no time zone; {UNTIL}',
        ),
        (
            "eve: {types: [flow, dhcp]}",
            "1:21: eve.types[1]",
            "write alert, flow, dns, tls, quic, http, ssh, smtp, pop3, imap, login, stats or anomaly",
        ),
        (
            "api: {listen: 127.0.0.1:80}",
            "1:15: api.listen",
            "not available in this version; write null and use api.socket",
        ),
        ("metrics: {listen: 9669}", "1:19: metrics.listen", LISTEN),
        ("metrics: {listen: '127.0.0.1:0'}", "1:19: metrics.listen", LISTEN),
        ("metrics: {listen: '::1:9669'}", "1:19: metrics.listen", LISTEN),
        (
            "metrics: {listen: '0.0.0.0:9669'}",
            "1:10: metrics",
            "0.0.0.0:9669 is open to others: give tls and token_file, or listen on 127.0.0.1",
        ),
        ("sensor: {name: 7}", "1:16: sensor.name", "write text, in quotes, not 7"),
    ],
)
def test_a_problem_says_what_to_write(file: Path, text: str, place: str, reason: str) -> None:
    assert problems(file, text) == [f"{place}: {reason}"]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "nothing.yaml")
    assert str(caught.value) == (
        f"{tmp_path}/nothing.yaml: cannot be read: No such file or directory; name another file with -c"
    )


def test_listening_to_others_is_allowed_with_tls_and_token(file: Path) -> None:
    file.write_text("metrics: {listen: '0.0.0.0:9669', tls: {certificate: c.pem, key: k.pem}, token_file: t}\n")
    assert load(file).metrics.token_file == file.parent / "t"


def test_overrides_replace_what_the_file_says(file: Path) -> None:
    file.write_text("capture: {filter: udp, interfaces: [{name: a, filter: tcp}, {name: b, snaplen: 96}]}\n")
    config = load(file, {"capture.filter": "icmp", "pcap_ring.segment_size": "1MiB"})
    assert config.capture.filter == "icmp"
    assert config.capture.interfaces[0].filter is None
    assert config.capture.interfaces[1].snaplen == 96
    assert config.pcap_ring.segment_size == 1 << 20


def test_an_interface_chosen_on_the_command_line_keeps_its_own_settings(file: Path) -> None:
    file.write_text("capture: {interfaces: [a, {name: b, snaplen: 96}]}\n")
    config = load(file, {"capture.interfaces": ["b", "c"]})
    assert [(entry.name, entry.snaplen) for entry in config.capture.interfaces] == [("b", 96), ("c", None)]


def test_a_bad_override_names_the_command_line(file: Path) -> None:
    text = "capture: {snaplen: 96}\n"
    assert problems(file, text, capture__snaplen=5) == ["command line: capture.snaplen: must be at least 64"]
    assert problems(file, text, capture__interfaces=["a/b"])[0].startswith("command line: capture.interfaces[0].name: ")


def test_relative_paths_start_at_the_file_and_those_of_overrides_stay(file: Path) -> None:
    file.write_text("pcap_ring: {directory: ring}\nwatchlists: ['lists/*.csv']\n")
    config = load(file, {"eve.path": Path("eve.json")})
    assert config.pcap_ring.directory == file.parent / "ring"
    assert config.watchlists[0].path == file.parent / "lists/*.csv"
    assert config.eve.path == Path("eve.json")


def test_running_needs_an_interface(file: Path) -> None:
    file.write_text("sensor: {name: x}\ncapture:\n  interfaces: []\n")
    with pytest.raises(ConfigError, match=r":3:15: capture\.interfaces: names no interface"):
        load(file, live=True)
    assert load(file, {"capture.interfaces": ["eth1"]}, live=True).capture.interfaces[0].name == "eth1"


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        Config().capture.snaplen = 96


def test_a_dump_is_read_back_as_the_same(file: Path) -> None:
    file.write_text("""
capture: {interfaces: [{name: eth2, filter: udp}], ring_memory: 5MB}
pcap_ring: {segment_time: 90s, max_age: 250ms}
alerts: {suppress: [{remote: 10.1.2.3, until: 2027-01-31T18:00:00+08:00}]}
metrics: {listen: "[::1]:9670", tls: {certificate: /c, key: /k}}
detect: {mirror: {port_speed: 2.5Gbit/s}}
""")
    config = load(file)
    text = dump(config)
    file.write_text(text)
    assert load(file) == config
    assert yaml.safe_load(text)["capture"]["ring_memory"] == "5MB"


def test_overrides_do_not_hide_a_wrong_shape(file: Path) -> None:
    (line,) = problems(file, "capture: [eth1]\n", capture__filter="udp")
    assert line.endswith("capture: write a group of keys here")
    assert problems(file, "capture: {interfaces: [{name: [x]}]}\n", capture__interfaces=["a"], flows="x") == [
        "command line: flows: write a group of keys here, not x"
    ]
