"""The phishing case is what it claims to be, in tshark's opinion."""

import shutil
from collections import Counter
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from tests.traffic import case_web, tshark
from tests.traffic.case import GBK_TEXT, Case
from tests.traffic.case_capture import frames, over_office, write_case, write_hidden_case
from tests.traffic.test_traffic import BROKEN

pytestmark = pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")

SMALL = Case(mailboxes=20)


def fields(path: Path, display_filter: str, *names: str) -> list[list[str]]:
    selected = [part for name in names for part in ("-e", name)]
    lines = tshark.run(path, "-Y", display_filter, "-T", "fields", *selected).splitlines()
    return [line.split("\t") for line in lines]


def test_the_same_case_gives_the_same_frames_and_another_seed_others() -> None:
    assert frames(SMALL) == frames(Case(mailboxes=20))
    assert frames(SMALL) != frames(Case(mailboxes=20, seed=2))


def test_the_answers_are_what_the_packets_say(tmp_path: Path) -> None:
    case, path = Case(), tmp_path / "case.pcap"
    write_case(case, path)
    answers = case.answers
    assert tshark.run(path, "-Y", f"{BROKEN} || tcp.analysis.flags") == ""
    mails = fields(path, f"imf && ip.src == {case.attacker}", "imf.from", "imf.subject")
    assert mails == [[f"{case.sender_name} <{case.sender}>", case.subject]] * answers.messages
    refused = fields(path, "smtp.response.code == 550", "ip.dst")
    assert sum(len(found[0].split(",")) for found in refused) >= len(answers.refused)
    followed = fields(
        path, "http.request || tls.handshake.type == 1", "ip.src", "http.host", "tls.handshake.extensions_server_name"
    )
    clicked = {
        (source, "http" if host else "tls") for source, host, name in followed if answers.url_host in (host, name)
    }
    assert clicked == {(source, seen[1]) for source, seen in answers.clicked_by.items() if len(seen) > 1}


def test_the_sender_is_ten_times_as_frequent_as_the_next(tmp_path: Path) -> None:
    path = tmp_path / "case.pcap"
    write_case(Case(), path)
    sources = Counter(found[0] for found in fields(path, "imf && tcp.dstport == 25", "ip.src"))
    (first, most), (_, next_most) = sources.most_common(2)
    assert first == Case().attacker
    assert most >= 10 * next_most


def test_attacks_get_the_answers_that_are_told(tmp_path: Path) -> None:
    case, path = SMALL, tmp_path / "case.pcap"
    write_case(case, path)
    found: dict[str, list[int]] = {}
    for target, code in fields(
        path, f"http.response && ip.dst == {case.attacker}", "http.response_for.uri", "http.response.code"
    ):
        found.setdefault(target.partition("?")[0].removeprefix(f"http://{case.web_host}"), []).append(int(code))
    assert {attack.path: list(attack.statuses) for attack in case.answers.attacks}.items() <= found.items()
    assert found[case_web.SHELL_PATH] == [200] * len(case_web.COMMANDS)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (Case(mailboxes=20, subject="新系统上线", text=GBK_TEXT, charset="gb18030", transfer="base64"), "新系统上线"),
        (Case(mailboxes=20, subject="Résumé", charset="iso-8859-1", transfer="quoted-printable"), "Résumé"),
        (Case(mailboxes=20, shown="http://mail.t3sec.cc/"), "New IT system online"),
        (Case(mailboxes=20, carriage="erspan"), "New IT system online"),
        (Case(mailboxes=20, sides="client"), "New IT system online"),
    ],
)
def test_variants_carry_the_mail(tmp_path: Path, variant: Case, expected: str) -> None:
    path = tmp_path / "case.pcap"
    write_case(variant, path)
    subjects = {
        str(make_header(decode_header(found[0])))
        for found in fields(path, f"imf && ip.src == {variant.attacker}", "imf.subject")
    }
    assert subjects == {expected}


def test_a_case_is_hidden_in_the_office_without_loss(tmp_path: Path) -> None:
    case, path = over_office(20_000, mailboxes=20), tmp_path / "hidden.pcap"
    total = write_hidden_case(case, path, 20_000)
    times = [float(found[0]) for found in fields(path, "frame", "frame.time_epoch")]
    assert len(times) == total
    assert times == sorted(times)
    mails = fields(path, f"imf && ip.src == {case.attacker}", "imf.from")
    assert len(mails) == case.answers.messages


def test_a_case_in_several_files_is_the_same_case(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.pcap" for number in range(3)]
    write_case(SMALL, tmp_path / "whole.pcap")
    write_case(SMALL, *paths)
    parts = b"".join(path.read_bytes()[24:] for path in paths)
    assert parts == (tmp_path / "whole.pcap").read_bytes()[24:]


def test_a_mirror_that_shows_everything_twice() -> None:
    assert len(frames(Case(mailboxes=20, copies=2))) == 2 * len(frames(SMALL))


def test_over_tls_no_mail_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "tls.pcap"
    write_case(Case(mailboxes=20, tls=True), path)
    assert fields(path, "imf", "imf.from") == []
