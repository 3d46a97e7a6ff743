"""The portable source, live on loopback, and what it refuses."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pcap
import pytest

from sensor.capture.devices import may_capture
from sensor.capture.libpcap import CaptureError, Frames, LibpcapSource
from sensor.config import InterfaceSettings

PORT = 40_404


@pytest.fixture
def privileged() -> None:
    if not may_capture() and os.environ.get("CI"):
        pytest.fail("needs CAP_NET_RAW, which must be there where CI is set")
    if not may_capture():
        pytest.skip("needs CAP_NET_RAW")


@pytest.fixture
def cable(privileged: None) -> Iterator[tuple[str, str]]:
    """Two ends of a cable of its own, both up."""
    assert privileged is None
    names = (f"swa{os.getpid()}", f"swb{os.getpid()}")
    made = subprocess.run(
        ["ip", "link", "add", names[0], "type", "veth", "peer", "name", names[1]], check=False, capture_output=True
    )
    if made.returncode and not os.environ.get("CI"):
        pytest.skip("needs CAP_NET_ADMIN")
    assert made.returncode == 0, made.stderr
    for name in names:
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
    yield names
    subprocess.run(["ip", "link", "del", names[0]], check=False, capture_output=True)


def settings(name: str = "lo", bpf: str = f"udp port {PORT}", snaplen: int = 262_144) -> InterfaceSettings:
    return InterfaceSettings(
        name=name, backend="libpcap", filter=bpf, snaplen=snaplen, promiscuous=False, ring_memory_bytes=4 << 20
    )


def send(*payloads: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for payload in payloads:
            sender.sendto(payload, ("127.0.0.1", PORT))


def send_frames(interface: str, frames: list[bytes]) -> None:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((interface, 0))
        for frame in frames:
            sender.send(frame)


def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)


def capture(source_settings: InterfaceSettings) -> tuple[LibpcapSource, list[Frames]]:
    batches: list[Frames] = []
    return LibpcapSource(source_settings, batches.append), batches


def frames_of(batches: list[Frames]) -> list[bytes]:
    return [frame for batch in batches for _, frame in batch]


@pytest.mark.usefixtures("privileged")
def test_frames_are_handed_in_whole_with_time_in_nanoseconds() -> None:
    source, batches = capture(settings())
    source.start()
    before = time.time_ns()
    send(b"first", b"x" * 9000)
    until(lambda: len(set(frames_of(batches))) == 2)
    source.stop()
    sent = dict.fromkeys(frames_of(batches))
    assert [frame[42:] for frame in sent] == [b"first", b"x" * 9000]
    assert all(abs(ns - before) < 5 * 10**9 for batch in batches for ns, _ in batch)
    assert source.stats().received_frames >= len(frames_of(batches))
    assert source.stats().dropped_frames == 0
    source.check()


@pytest.mark.usefixtures("privileged")
def test_snaplen_cuts() -> None:
    source, batches = capture(settings(snaplen=64))
    source.start()
    send(b"y" * 500)
    until(lambda: frames_of(batches))
    source.stop()
    assert {len(frame) for frame in frames_of(batches)} == {64}


@pytest.mark.usefixtures("privileged")
def test_a_frame_is_not_held_back() -> None:
    arrived = threading.Event()
    source = LibpcapSource(settings(), lambda _frames: arrived.set())
    source.start()
    send(b"now")
    start = time.monotonic()
    assert arrived.wait(5)
    assert time.monotonic() - start < 1.0
    source.stop()


def test_every_frame_arrives_in_bounded_batches(cable: tuple[str, str]) -> None:
    frames = [b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + number.to_bytes(4) + b"." * 100 for number in range(20_000)]
    source, batches = capture(settings(cable[1], "ether proto 0x88b5"))
    source.start()
    send_frames(cable[0], frames)
    until(lambda: len(frames_of(batches)) == len(frames))
    source.stop()
    assert frames_of(batches) == frames
    assert max(map(len, batches)) <= 512
    assert source.stats().received_frames == len(frames)


def test_an_interface_that_goes_and_comes_back_is_read_again(cable: tuple[str, str]) -> None:
    frame = b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + b"z" * 60
    source, batches = capture(settings(cable[1], "ether proto 0x88b5"))
    source.start()
    send_frames(cable[0], [frame])
    until(lambda: len(frames_of(batches)) == 1)
    subprocess.run(["ip", "link", "del", cable[0]], check=True)
    until(lambda: source.stats().state == "waiting")
    subprocess.run(["ip", "link", "add", cable[0], "type", "veth", "peer", "name", cable[1]], check=True)
    for name in cable:
        subprocess.run(["ip", "link", "set", name, "up"], check=True)
    until(lambda: source.stats().state == "up")
    send_frames(cable[0], [frame, frame])
    until(lambda: len(frames_of(batches)) == 3)
    source.check()
    source.stop()
    assert source.stats().received_frames == 3, "counters go on where the interface was opened anew"


def test_an_interface_that_is_down_is_waited_for(cable: tuple[str, str]) -> None:
    subprocess.run(["ip", "link", "set", cable[1], "down"], check=True)
    source, batches = capture(settings(cable[1], ""))
    source.start()
    assert source.stats().state == "waiting"
    subprocess.run(["ip", "link", "set", cable[1], "up"], check=True)
    until(lambda: source.stats().state == "up")
    send_frames(cable[0], [b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + b"z" * 60])
    until(lambda: batches)
    source.stop()


@pytest.mark.usefixtures("privileged")
def test_a_failure_behind_it_is_handed_out() -> None:
    def refuse(_frames: Frames) -> None:
        raise RuntimeError("the engine is gone")

    source = LibpcapSource(settings(), refuse)
    source.start()
    send(b"x")
    with pytest.raises(CaptureError, match="lo: capture ended: the engine is gone"):
        until(source.check)
    source.stop()


@pytest.mark.usefixtures("privileged")
def test_other_threads_run_while_it_waits() -> None:
    source, _ = capture(settings())
    source.start()
    longest, last = 0.0, time.monotonic()
    end = last + 0.6
    while last < end:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        time.sleep(0.001)
    source.stop()
    assert longest < 0.15, "the interpreter lock was held"


def test_no_such_interface() -> None:
    source, _ = capture(settings("nothing0"))
    with pytest.raises(CaptureError, match=r"^nothing0: no such interface; `spanwatch interfaces` lists them$"):
        source.start()


@pytest.mark.usefixtures("privileged")
def test_a_bad_filter() -> None:
    source, _ = capture(settings(bpf="tcp prot 80"))
    with pytest.raises(CaptureError, match=r"lo: filter: can't parse filter expression: syntax error"):
        source.start()


@pytest.mark.usefixtures("privileged")
def test_a_link_type_that_is_not_ethernet() -> None:
    source, _ = capture(settings("any", ""))
    with pytest.raises(CaptureError, match="any: link type 113 is not Ethernet; use backend afpacket"):
        source.start()


def test_no_privilege(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_args: object, **_options: object) -> None:
        raise OSError("Error returned by packet capture library was b'socket: Operation not permitted'")

    monkeypatch.setattr(pcap, "pcap", denied)
    source, _ = capture(settings())
    with pytest.raises(CaptureError, match="lo: no privilege to capture; run as root or grant CAP_NET_RAW"):
        source.start()


@pytest.mark.parametrize("name", ["./lo", "/tmp/x.pcap", "-", ""])  # noqa: S108
def test_what_libpcap_would_open_as_a_file_is_refused(name: str) -> None:
    source, _ = capture(settings(name))
    with pytest.raises(CaptureError, match="is not the name of an interface"):
        source.start()


def test_a_file_of_the_interfaces_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lo").write_bytes(b"")
    source, _ = capture(settings())
    with pytest.raises(CaptureError, match=r"libpcap would read the file .*/lo instead; start in another directory"):
        source.start()


def test_stopping_what_was_not_started_is_nothing() -> None:
    source, _ = capture(settings())
    source.stop()
    assert source.stats().state == "waiting"
