"""`spanwatch check`, `config`, `interfaces` and `watchlist check` from outside."""

import json
from pathlib import Path

import pytest
import yaml

from sensor.cli.main import main

pytestmark = pytest.mark.usefixtures("fake_core")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "spanwatch.yaml"
    path.write_text("watchlists: []\n")
    return path


def test_a_good_configuration_is_summed_up(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (file.parent / "feed.txt").write_text("203.0.113.9\n203.0.113.10\n")
    file.write_text("capture: {interfaces: [eth1], filter: udp}\nwatchlists: [feed.txt]\nmetrics: {listen: null}\n")
    assert main(["check", "-c", str(file)]) == 0
    shown = capsys.readouterr()
    lines = dict(line.split("  ", 1) for line in shown.out.splitlines())
    assert lines["interfaces"].strip() == "eth1 (afpacket, filter udp)"
    assert lines["watchlists"].strip() == "feed (2 entries)"
    assert lines["metrics"].strip() == "off"
    assert shown.err == ""


def test_every_error_is_printed_with_its_place(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("capture:\n  filter: tcp prot 80\n  workers: none\n")
    assert main(["check", "-c", str(file)]) == 78
    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split(": ")[:2] for line in shown.err.splitlines()] == [
        [f"{file}:2:11", "capture.filter"],
        [f"{file}:3:12", "capture.workers"],
    ]


def test_a_list_that_cannot_be_used_is_an_error(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("watchlists: [nothing.txt]\n")
    assert main(["check", "-c", str(file)]) == 78
    missing = file.parent / "nothing.txt"
    assert capsys.readouterr().err == f"{missing}: list nothing: cannot be read: No such file or directory\n"


def test_refused_lines_of_a_good_list_are_only_mentioned(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = file.parent / "feed.txt"
    feed.write_text("203.0.113.9\n" + "junk\n" * 25)
    file.write_text("watchlists: [feed.txt]\n")
    assert main(["check", "-c", str(file)]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{feed}:2:1: not used: 'junk' is junk"
    assert lines[20:] == [f"{feed}: 5 more; `spanwatch watchlist check {feed}` lists them"]


def test_check_answers_in_json(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-c", str(file), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["problems"], answer["watched"]["watchlists"]) == (True, [], [])
    file.write_text("foo: 1\n")
    assert main(["check", "-c", str(file), "--json"]) == 78
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["watched"]) == (False, None)
    assert answer["problems"] == [f"{file}:1:1: foo: unknown key"]


def test_config_dump_is_effective_and_json_too(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "dump", "-c", str(file)]) == 0
    dumped = yaml.safe_load(capsys.readouterr().out)
    assert main(["config", "dump", "-c", str(file), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == dumped
    assert dumped["pcap_ring"]["segment_size"] == "256MiB"


def test_config_dump_says_what_is_wrong(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("foo: 1\n")
    assert main(["config", "dump", "-c", str(file)]) == 78
    assert capsys.readouterr().err == f"spanwatch: {file}:1:1: foo: unknown key\n"


def test_config_schema_and_references_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["additionalProperties"] is False
    assert main(["config", "reference"]) == 0
    assert capsys.readouterr().out.startswith("# Configuration\n")
    assert main(["config", "reference", "--yaml"]) == 0
    assert "pcap_ring" in yaml.safe_load(capsys.readouterr().out)


def test_interfaces_are_listed_and_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["interfaces"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert names[0] == "name"
    assert "lo" in names
    assert main(["interfaces", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [device["name"] for device in found] == names[1:]
    assert all(device["would_capture"] == (device["reason"] is None) for device in found)


def test_a_list_is_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("203.0.113.9\n")
    bad.write_text("203.0.113.9\njunk\n")
    assert main(["watchlist", "check", str(good)]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == [str(good), "plain", "1", "1", "ip", "0"]
    assert main(["watchlist", "check", str(good), str(bad)]) == 1
    assert capsys.readouterr().out.splitlines()[0] == f"{bad}:2:1: 'junk' is junk"
    assert main(["watchlist", "check", "--json", str(bad)]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["format"] == "plain"
    assert (answer["entries"], answer["refused"]) == (1, [{"line": 2, "column": 1, "reason": "'junk' is junk"}])


def test_every_list_is_checked_though_one_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page, event, good = tmp_path / "page.txt", tmp_path / "event.json", tmp_path / "good.txt"
    page.write_text("<html>503</html>\n")
    event.write_text('{"Event": {"info": "\\u001b[31m')
    good.write_text("203.0.113.9\n")
    assert main(["watchlist", "check", str(page), str(event), str(good)]) == 74
    printed = capsys.readouterr()
    assert printed.out.splitlines()[1].split() == [str(good), "plain", "1", "1", "ip", "0"]
    assert printed.err.splitlines() == [
        f"spanwatch: {page}: an HTML or XML page, not a list",
        f"spanwatch: {event}: line 1, column 20: not JSON: Unterminated string",
    ]


def test_what_a_feed_holds_cannot_steer_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    feed = tmp_path / "intel.dat"
    feed.write_text(
        "#fields\tindicator\tindicator_type\n203.0.113.9\tIntel::\x1b[31mRED\n203.0.113.9\x1b\tIntel::ADDR\n"
    )
    assert main(["watchlist", "check", str(feed)]) == 1
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())


def test_a_list_without_an_entry_is_a_no_and_one_that_is_not_there_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty.txt").touch()
    assert main(["watchlist", "check", str(tmp_path / "empty.txt")]) == 1
    assert main(["watchlist", "check", str(tmp_path / "nothing.txt")]) == 74
    assert capsys.readouterr().err.endswith("nothing.txt: cannot be read: No such file or directory\n")
