"""Who logs on, by whatever carries it, is who tshark says; the messages are those of other programs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sensor.demo.conversation import Conversation
from sensor.demo.frames import Endpoint, udp
from sensor.demo.pcap_file import write_pcap
from tests.peers.test_identity import fields, summary

pytestmark = pytest.mark.peers

LOGONS = yaml.safe_load(Path(__file__).with_name("logons.yaml").read_text())
PC = Endpoint("02:00:00:00:00:01", "10.1.0.5", 50_000)
SERVER = Endpoint("02:00:00:00:00:02", "10.1.0.2")
START_NS = 1_790_000_000_000_000_000
STEP_NS = 1_000_000


def frames(carrier: str) -> Iterator[bytes]:
    """A connection that speaks the steps, or datagrams."""
    logon = LOGONS[carrier]
    server = SERVER.at(logon["port"])
    steps = [(who == "c", bytes.fromhex(said)) for who, said in logon["steps"]]
    if carrier.endswith("udp"):
        for from_client, said in steps:
            yield udp(PC, server, said) if from_client else udp(server, PC, said)
        return
    conversation = Conversation(PC, server)
    yield from conversation.open()
    for from_client, said in steps:
        yield from conversation.send(said, from_client=from_client)
    yield from conversation.close()


def capture_of(carrier: str, directory: Path) -> Path:
    path = directory / f"{carrier}.pcap"
    write_pcap(path, ((START_NS + number * STEP_NS, frame) for number, frame in enumerate(frames(carrier))))
    return path


def told(spanwatch: Path, capture: Path) -> dict[str, tuple[list[str], str | None]]:
    """Users and name of each host."""
    rows = summary(spanwatch, str(capture))["machines"]
    return {row["ip"]: ([user["text"] for user in row["users"]], row["name"]) for row in rows}


@pytest.mark.parametrize("carrier", ["smb", "ldap", "dcerpc", "http", "proxy"])
def test_ntlm(spanwatch: Path, tmp_path: Path, carrier: str) -> None:
    capture = capture_of(carrier, tmp_path)
    names = ("ip.src", "ntlmssp.auth.domain", "ntlmssp.auth.username", "ntlmssp.auth.hostname")
    ((ip, domain, user, workstation),) = fields(capture, "ntlmssp.messagetype == 3", *names)
    assert told(spanwatch, capture) == {ip: ([f"{domain}\\{user}"], workstation)}


def test_ntlm_by_mail_is_a_login(spanwatch: Path, tmp_path: Path) -> None:
    # tshark does not look into SMTP's base64; a proxy was sent the same message.
    names = ("ntlmssp.auth.domain", "ntlmssp.auth.username")
    ((domain, user),) = fields(capture_of("proxy", tmp_path), "ntlmssp.messagetype == 3", *names)
    summary(spanwatch, "-o", str(tmp_path), "--report", str(capture_of("smtp", tmp_path)))
    (account,) = json.loads((tmp_path / "report.json").read_text())["accounts"]
    assert (account["user"], account["success"]) == (f"{domain}\\{user}", True)


@pytest.mark.parametrize("carrier", ["krb5-tcp", "krb5-udp"])
def test_kerberos(spanwatch: Path, tmp_path: Path, carrier: str) -> None:
    capture = capture_of(carrier, tmp_path)
    answers = "kerberos.as_rep_element || kerberos.tgs_rep_element"
    ((ip, client, realm),) = fields(capture, answers, "ip.dst", "kerberos.CNameString", "kerberos.crealm")
    expected = ([], client[:-1]) if client.endswith("$") else ([f"{client}@{realm}"], None)
    assert told(spanwatch, capture) == {ip: expected}
