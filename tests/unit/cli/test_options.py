"""Options become overrides of the configuration."""

import argparse
from pathlib import Path

import pytest

from sensor.cli import CommandError, options
from sensor.cli.options import (
    StopAfter,
    add_capture_options,
    answer_listing,
    option_overrides,
    read_configuration,
    stop_after,
)


@pytest.fixture(autouse=True)
def no_system_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(options, "DEFAULT_CONFIGURATION", tmp_path / "default.yaml")


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spanwatch")
    add_capture_options(parser)
    return parser.parse_args(arguments)


def test_nothing_given_overrides_nothing() -> None:
    assert option_overrides(parse()) == {}
    assert stop_after(parse()) == StopAfter()


def test_every_option_has_its_key() -> None:
    args = parse(
        "-i", "eth1", "-i", "eth2", "-f", "udp", "-s", "96", "-p", "-B", "8",
        "-b", "duration:60", "-b", "filesize:1000", "-b", "files:3",
    )  # fmt: skip
    config = read_configuration(args)
    assert [entry.name for entry in config.capture.interfaces] == ["eth1", "eth2"]
    assert (config.capture.filter, config.capture.snaplen, config.capture.promiscuous) == ("udp", 96, False)
    assert config.capture.ring_memory == 8 << 20
    ring = config.pcap_ring
    assert (ring.segment_time, ring.segment_size, ring.max_segments) == (60, 1_000_000, 3)


def test_snaplen_0_is_all_as_in_tshark() -> None:
    assert option_overrides(parse("-s", "0")) == {"capture.snaplen": 262_144}


def test_stop_conditions() -> None:
    args = parse("-a", "duration:10", "-a", "packets:5", "-a", "files:2", "-a", "filesize:64")
    assert stop_after(args) == StopAfter(duration_seconds=10, packets=5, files=2, bytes=64_000)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-s", "x"],
        ["-s", "-1"],
        ["-s", "²"],
        ["-B", ""],
        ["-a", "seconds:5"],
        ["-a", "duration:0"],
        ["-a", "duration"],
        ["-b", "packets:1"],
    ],
)
def test_a_bad_option_is_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*arguments)
    assert caught.value.code == 2


def test_the_systems_configuration_is_read_if_it_is_there(tmp_path: Path) -> None:
    (tmp_path / "default.yaml").write_text("sensor: {name: system}\n")
    (tmp_path / "own.yaml").write_text("sensor: {name: own}\n")
    assert read_configuration(parse()).sensor.name == "system"
    assert read_configuration(parse("-c", str(tmp_path / "own.yaml"))).sensor.name == "own"


def test_what_is_wrong_is_said_with_the_configurations_exit_code() -> None:
    with pytest.raises(CommandError, match=r"command line: capture\.snaplen: must be at least 64") as caught:
        read_configuration(parse("-s", "5"))
    assert caught.value.code == 78


def test_interfaces_and_link_types_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert not answer_listing(parse())
    assert answer_listing(parse("-D"))
    assert ". lo\n" in capsys.readouterr().out
    assert answer_listing(parse("-L", "-i", "lo", "-i", "nothing0"))
    assert capsys.readouterr().out.splitlines()[1:] == ["lo         EN10MB (Ethernet)", "nothing0   not supported"]
