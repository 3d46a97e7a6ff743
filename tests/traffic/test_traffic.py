"""The generated traffic is what it claims to be, in tshark's opinion."""

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sensor.demo.traffic import BULK_MAIL_HOST, C2_HOST, C2_SERVER, MAIL_SERVERS, office
from tests.traffic import build, tshark
from tests.traffic.flows import make_flows
from tests.traffic.headers import ENCAPSULATIONS
from tests.traffic.office import office_frames, write_office
from tests.traffic.payloads import make_pool

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

PC = build.Endpoint("00:1b:44:11:3a:b7", "10.20.3.44", 49152)
SERVER = build.Endpoint("00:00:5e:00:01:14", "203.0.113.9", 443)
PC6 = build.Endpoint("00:1b:44:11:3a:b7", "fd00::2c", 49152)
SERVER6 = build.Endpoint("00:00:5e:00:01:14", "2001:db8::9", 443)
BAD = "tcp.checksum.status == 0 || udp.checksum.status == 0 || ip.checksum.status == 0 || eth.padding && tcp"
BROKEN = f"({BAD} || _ws.malformed) && !quic"


def capture(path: Path, *frames: bytes) -> Path:
    build.write_pcap(path, ((1_800_000_000_000_000_000 + number, frame) for number, frame in enumerate(frames)))
    return path


@pytest.mark.parametrize(
    ("wrapped", "layers"),
    [
        (lambda frame: frame, "eth:ethertype:ip:tcp"),
        (lambda frame: build.vlan(frame, 20), "eth:ethertype:vlan:ethertype:ip:tcp"),
        (lambda frame: build.vlan(frame, 100, 30), "eth:ethertype:ieee8021ad:ethertype:vlan:ethertype:ip:tcp"),
        (lambda frame: build.gre(frame, PC, SERVER), "eth:ethertype:ip:gre:eth:ethertype:ip:tcp"),
        (lambda frame: build.erspan_i(frame, PC, SERVER), "eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp"),
        (
            lambda frame: build.erspan_ii(frame, PC, SERVER, build.Session(7, 20, 1)),
            "eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp",
        ),
        (
            lambda frame: build.erspan_iii(frame, PC, SERVER, build.Session(7, 20, 1)),
            "eth:ethertype:ip:gre:erspan:eth:ethertype:ip:tcp",
        ),
        (lambda frame: build.vxlan(frame, PC, SERVER), "eth:ethertype:ip:udp:vxlan:eth:ethertype:ip:tcp"),
    ],
)
def test_each_builder_gives_the_layers_that_it_names(
    tmp_path: Path, wrapped: Callable[[bytes], bytes], layers: str
) -> None:
    frame = wrapped(build.tcp(PC, SERVER, build.Segment(build.SYN)))
    path = capture(tmp_path / "one.pcap", frame)
    assert tshark.run(path, "-T", "fields", "-e", "frame.protocols").strip() == layers
    assert tshark.run(path, "-Y", BROKEN) == ""


def test_erspan_headers_carry_session_vlan_and_sequence(tmp_path: Path) -> None:
    frame = build.tcp(PC, SERVER, build.Segment(build.SYN))
    session = build.Session(id=21, vlan=20, sequence=77)
    path = capture(
        tmp_path / "two.pcap",
        build.erspan_ii(frame, PC, SERVER, session),
        build.erspan_iii(frame, PC, SERVER, session),
    )
    fields = ("erspan.version", "erspan.spanid", "erspan.vlan", "gre.sequence_number")
    selected = [part for field in fields for part in ("-e", field)]
    assert tshark.run(path, "-T", "fields", *selected).splitlines() == ["1\t21\t20\t77", "2\t21\t20\t77"]


@pytest.mark.parametrize(("client", "server"), [(PC, SERVER), (PC6, SERVER6)])
def test_a_conversation_has_no_gap_for_tshark(tmp_path: Path, client: build.Endpoint, server: build.Endpoint) -> None:
    talk = build.Conversation(client, server)
    frames = [
        *talk.open(),
        *talk.send(b"x" * 5000, from_client=True),
        *talk.send(b"y" * 9000, from_client=False),
        *talk.close(),
    ]
    path = capture(tmp_path / "talk.pcap", *frames)
    assert tshark.run(path, "-Y", f"tcp.analysis.flags || {BROKEN}") == ""
    assert tshark.run(path, "-T", "fields", "-e", "tcp.completeness").split()[-1] == "31"


def test_a_wrong_checksum_is_seen(tmp_path: Path) -> None:
    frame = bytearray(build.tcp(PC, SERVER, build.Segment(build.SYN)))
    frame[-1] ^= 1
    assert tshark.run(capture(tmp_path / "bad.pcap", bytes(frame)), "-Y", BROKEN) != ""


@pytest.mark.parametrize("encapsulation", ENCAPSULATIONS)
def test_the_office_capture_is_sound_in_every_encapsulation(tmp_path: Path, encapsulation: str) -> None:
    path = tmp_path / "office.pcap"
    write_office(path, 3000, seed=3, encapsulation=encapsulation)
    assert tshark.run(path, "-Y", BROKEN) == ""
    assert len(tshark.run(path, "-T", "fields", "-e", "frame.number").splitlines()) == 3000
    bare = tmp_path / "bare.pcap"
    write_office(bare, 3000, seed=3)
    assert tshark.flows(path) == tshark.flows(bare)


def test_the_office_capture_is_the_same_each_time_and_differs_by_seed() -> None:
    assert office_frames(2000, seed=5) == office_frames(2000, seed=5)
    assert office_frames(2000, seed=5) != office_frames(2000, seed=6)


def test_the_office_capture_has_the_mixture_that_the_benchmarks_state() -> None:
    pool = make_pool(1)
    flows, packets = make_flows(200_000, pool, np.random.default_rng(1))
    assert len(packets.flow) == 200_000
    assert 3_500 <= len(np.unique(packets.flow)) <= 7_000
    assert np.all(np.diff(packets.time_seconds) >= 0)
    assert 100 <= len(np.unique(flows.client)) <= 200
    assert 300 <= np.mean(pool.length[packets.payload]) + 54 <= 420


def test_the_demo_script_holds_both_culprits_as_a_mirror_carries_them(tmp_path: Path) -> None:
    script = itertools.takewhile(lambda step: step[0] < 15, office())
    path = tmp_path / "demo.pcap"
    count = build.write_pcap(path, ((1_800_000_000_000_000_000 + int(at * 1e9), frame) for at, frame in script))
    assert 15 * 500 < count < 15 * 2000
    assert tshark.run(path, "-Y", f"{BROKEN} || tcp.analysis.lost_segment") == ""
    contact = f"erspan && vlan.id == 20 && ip.src == {C2_HOST} && ip.dst == {C2_SERVER} && tcp.dstport == 443"
    assert len(tshark.run(path, "-Y", contact).splitlines()) >= 20
    mail = f"ieee8021ad.id == 100 && vlan.id == 30 && ip.src == {BULK_MAIL_HOST} && tcp.dstport == 25"
    servers = set(tshark.run(path, "-Y", mail, "-T", "fields", "-e", "ip.dst").split())
    assert len(servers & set(MAIL_SERVERS)) >= 20
    machines = {address for address in tshark.hosts(path) if address.startswith("10.20.")}
    assert len(machines) == 40
