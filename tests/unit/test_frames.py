from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import pytest

from sensor.cli import ExitCode, read
from sensor.cli.main import main
from sensor.demo.messages import client_hello, http_get, http_ok, server_hello, tls_data
from sensor.frames import FrameOutput, Reading, read_twice
from tests.traffic.build import ACK, PSH, SYN, Conversation, Endpoint, Segment, tcp, udp, write_pcap

SECOND = 1_000_000_000
PC, SERVER = Endpoint("02:00:00:00:00:01", "10.0.0.1", 50_000), Endpoint("02:00:00:00:00:02", "203.0.113.9", 8080)


@pytest.fixture(autouse=True)
def quiet_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "configure_logging", lambda _level: None)


def _talk(port: int, request: bytes, answer: bytes) -> list[bytes]:
    talk = Conversation(PC.at(port), SERVER)
    said = [*talk.open(), *talk.send(request, from_client=True), *talk.send(answer, from_client=False)]
    return [*said, *talk.close()]


WEB = _talk(50_001, http_get("www.example", "/"), http_ok(5000))
SECRET = _talk(50_002, client_hello("www.example", 1), server_hello(1) + tls_data(1, 4000))
NOISE = [udp(PC.at(6000 + number), SERVER, b"?") for number in range(5)]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """A web page, the same ports again for something else, and noise, all in turn."""
    pytest.importorskip("sensor._native")
    segments = [Segment(SYN, 777), Segment(ACK, 778, 1), Segment(PSH | ACK, 778, 1, client_hello("www.example", 1))]
    again = [tcp(PC.at(50_001), SERVER, segment) for segment in segments]
    turns = [frame for turn in zip(WEB, SECRET, strict=False) for frame in turn]
    path = tmp_path / "in.pcap"
    write_pcap(path, ((1_700_000_000 * SECOND + n, frame) for n, frame in enumerate([*turns, *NOISE, *again])))
    return path


def _frames(path: Path) -> list[bytes]:
    data, frames, at = path.read_bytes(), [], 24
    while at < len(data):
        length = int.from_bytes(data[at + 8 : at + 12], "little")
        frames.append(data[at + 16 : at + 16 + length])
        at += 16 + length
    return frames


def _read(capture: Path | str, out: Path, *options: str) -> int:
    return main(["read", *options, "-w", str(out), str(capture)])


@pytest.mark.parametrize("workers", [1, 2])
def test_all_frames_of_the_flows_are_written_from_the_first_on(capture: Path, tmp_path: Path, workers: int) -> None:
    configuration = tmp_path / "c.yaml"
    configuration.write_text(f"capture: {{workers: {workers}}}\neve: {{path: null}}\nalerts: {{log: null}}\n")
    out = tmp_path / "out.pcap"
    assert _read(capture, out, "--app", "http", "-c", str(configuration)) == ExitCode.OK
    turns = min(len(WEB), len(SECRET))
    assert _frames(out) == WEB[:turns], "and nothing of the next connection over the same ports"
    assert out.read_bytes()[:4] == bytes.fromhex("4d3cb2a1")


def test_filter_alone_and_both_together(capture: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.pcap"
    assert _read(capture, out, "-f", "udp") == ExitCode.OK
    assert _frames(out) == NOISE
    assert _read(capture, out, "-f", "tcp port 50002", "--app", "HTTP,tls") == ExitCode.OK
    assert set(_frames(out)) <= set(SECRET)
    assert len(_frames(out)) == min(len(WEB), len(SECRET))
    assert _read(capture, out, "--app", "smtp") == ExitCode.OK
    assert _frames(out) == []


def test_several_files_hold_what_one_does(capture: Path, tmp_path: Path) -> None:
    assert _read(capture, tmp_path / "all.pcap", "-b", "filesize:2") == ExitCode.OK
    parts = sorted(tmp_path.glob("all_0*_20231114T*.pcap"))
    assert len(parts) > 1
    assert [frame for part in parts for frame in _frames(part)] == _frames(capture)
    assert _read(capture, tmp_path / "some.pcap", "-b", "filesize:2", "-b", "files:1") == ExitCode.OK
    (last,) = tmp_path.glob("some_*.pcap")
    assert _frames(capture)[-1] == _frames(last)[-1]


def test_standard_input_is_read_twice(capture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(capture.read_bytes())))
    out = tmp_path / "sub" / "out.pcap"
    out.parent.mkdir()
    assert _read("-", out, "-f", "udp") == ExitCode.OK
    assert _frames(out) == NOISE
    assert list(out.parent.iterdir()) == [out], "what was kept is gone"


def test_without_frames_to_write_standard_input_is_left_alone() -> None:
    reading = Reading(["-", "x"])
    with read_twice(reading) as files:
        assert files is reading


@pytest.mark.parametrize(
    "options",
    [["--app", "http"], ["-b", "files:3"], ["-w", "-"], ["-w", "out.pcapng"], ["-w", "IN"], ["-w", "o", "--app", "a,"]],
)
def test_what_makes_no_sense_is_refused(capture: Path, options: list[str]) -> None:
    given = [str(capture) if option == "IN" else option for option in options]
    before = capture.read_bytes()
    try:
        code = main(["read", *given, str(capture)])
    except SystemExit as exit_error:
        code = int(str(exit_error.code))
    assert code == ExitCode.USAGE
    assert capture.read_bytes() == before


def test_an_unknown_protocol_and_a_place_that_cannot_be_written(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _read(capture, tmp_path / "o.pcap", "--app", "gopher") == ExitCode.USAGE
    assert "'gopher' is no protocol" in capsys.readouterr().err
    assert _read(capture, tmp_path / "none" / "o.pcap") == ExitCode.INPUT_OUTPUT
    assert "none/o.pcap" in capsys.readouterr().err


def test_a_hard_link_is_the_same_file(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert FrameOutput(tmp_path / "b").overwrites(["-", str(tmp_path / "a")])
    assert not FrameOutput(tmp_path / "c").overwrites([str(tmp_path / "a")])
