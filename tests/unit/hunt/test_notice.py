# ruff: noqa: RUF001  # notices are written in Chinese, too
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from sensor.hunt.notice import Reading, Role, decode, read_notice

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def shanghai(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine stands where the notices come from."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()


def read(text: str) -> Reading:
    return read_notice(text, lambda ip: ip.startswith(("10.", "192.168.", "172.16.")), int(NOW.timestamp()) * 10**9)


def window(reading: Reading) -> tuple[str, str]:
    assert reading.window is not None
    ends = (reading.window.since_ns, reading.window.until_ns)
    first, last = (f"{datetime.fromtimestamp(ns / 1e9, UTC):%Y-%m-%dT%H:%M}" for ns in ends)
    return first, last


@dataclass(frozen=True)
class Case:
    text: str
    indicators: list[str]
    own: list[str]
    window: tuple[str, str] | None
    ports: tuple[int, ...] = ()


CHINESE_LETTER = Case(
    """关于你单位主机感染僵尸木马的通报

某某学院：
    经监测发现，你单位公网IP地址 198.51.100.7 于2026年11月22日 09:14 与僵尸网络控制端
203.0.113[.]9 的 443 端口进行通信，疑似感染 Emotet 木马。请于2026年11月30日前核查处置并反馈。

联系人：张三，邮箱 zhangsan@cert.example.cn，网站 http://www.cert.example.cn
某某市通信管理局
2026年11月23日
""",
    ["203.0.113.9:443"],
    ["198.51.100.7"],
    ("2026-11-22T01:04", "2026-11-22T01:25"),
    (443,),
)
CHINESE_LABELS = Case(
    """【网络安全事件通报】
源IP：198.51.100.7
源端口：51234
目的IP：203.0.113.9
目的端口：8080
首次发现时间：2026-11-22 09:14:03
最近发现时间：2026-11-22 11:40:55
事件类型：木马回连
""",
    ["203.0.113.9:8080"],
    ["198.51.100.7"],
    ("2026-11-22T01:04", "2026-11-22T03:51"),
    (8080,),
)
CHINESE_TABLE = Case(
    """受控IP\t受控端口\t控制IP\t控制端口\t发现时间
198.51.100.7\t51234\t203.0.113.9\t443\t2026/11/22 09:14
198.51.100.7\t51300\t203.0.113.77\t443\t2026/11/22 10:02
""",
    ["203.0.113.9:443", "203.0.113.77:443"],
    ["198.51.100.7"],
    ("2026-11-22T01:04", "2026-11-22T02:13"),
    (443,),
)
CHINESE_RANGE = Case(
    "监测到贵公司IP198.51.100.7在2026年11月22日9时14分至10时30分期间访问恶意域名 evil[.]example，请核查。",
    ["evil.example"],
    ["198.51.100.7"],
    ("2026-11-22T01:04", "2026-11-22T02:41"),
)
CHINESE_WIDE = Case(
    "目的ＩＰ：２０３．０．１１３．９，端口：４４３，时间：２０２６年１１月２２日　下午２点０５分",
    ["203.0.113.9:443"],
    [],
    ("2026-11-22T05:55", "2026-11-22T06:16"),
    (443,),
)
ENGLISH_LETTER = Case(
    """Date: 23 November 2026
Subject: infected host

A host behind your public address 198.51.100.7 contacts the botnet controller 203.0.113.9.
Last seen 2026-11-22T07:14:05Z.
For more information see https://abuse.example.org/botnets or contact us at abuse@example.org.
""",
    ["203.0.113.9"],
    ["198.51.100.7"],
    ("2026-11-22T07:04", "2026-11-22T07:25"),
)
ENGLISH_CSV = Case(
    """timestamp,src ip,src port,dst ip,dst port,malware
2026-11-22 07:14:05 UTC,198.51.100.7,51234,203.0.113.9,447,trickbot
2026-11-22 07:44:05 UTC,198.51.100.7,51299,203.0.113.10,449,trickbot
""",
    ["203.0.113.9:447", "203.0.113.10:449"],
    ["198.51.100.7"],
    ("2026-11-22T07:04", "2026-11-22T07:55"),
    (447, 449),
)
ENGLISH_URL = Case(
    "On Nov 22, 2026 at 9:14 PM (UTC+8) a client of yours downloaded hxxp://evil[.]example:8080/a.exe "
    "(sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08).",
    [
        "http://evil.example:8080/a.exe",
        "evil.example",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
    [],
    ("2026-11-22T13:04", "2026-11-22T13:25"),
)
ENGLISH_RANGE = Case(
    "Between 09:14 and 09:30 UTC on 22 Nov 2026 your address 198.51.100.7 sent spam through port 25.",
    [],
    ["198.51.100.7"],
    ("2026-11-22T09:04", "2026-11-22T09:41"),
    (25,),
)
ARROW = Case(
    "2026-11-22T09:14:05+08:00 198.51.100.7:51234 -> 203.0.113.9:443 TCP CobaltStrike",
    ["203.0.113.9:443"],
    ["198.51.100.7"],
    ("2026-11-22T01:04", "2026-11-22T01:25"),
)
PHISHING = Case(
    "钓鱼邮件：发件人 it@t3sec.example，主题“系统升级”，恶意链接 hxxps://login[.]evil[.]example/owa 。时间 11月22日。",
    ["it@t3sec.example", "https://login.evil.example/owa", "login.evil.example"],
    [],
    ("2026-11-21T15:50", "2026-11-22T16:10"),
)
IPV6 = Case(
    "目的地址 [2001:db8::9]:443，源地址 2001:db8:1::7，时间 2026-11-22 09:14",
    ["[2001:db8::9]:443"],
    ["2001:db8:1::7"],
    ("2026-11-22T01:04", "2026-11-22T01:25"),
)
INSIDE = Case(
    "内网主机 10.20.3.44 回连 C2：203.0.113.9 （端口 4443/tcp），另见域名 c2.evil.example 、文件 update.exe",
    ["203.0.113.9:4443", "c2.evil.example"],
    ["10.20.3.44"],
    None,
    (4443,),
)
NETWORK = Case("恶意地址段：203.0.113.0/24", ["203.0.113.0/24"], [], None)
CASES = {name: case for name, case in globals().items() if isinstance(case, Case)}


@pytest.mark.parametrize("name", CASES)
def test_a_notice_is_read_as_a_person_would(name: str) -> None:
    case = CASES[name]
    reading = read(case.text)
    assert reading.indicators == case.indicators
    assert [value.text for value in reading.values if value.role is Role.OWN] == case.own
    assert tuple(reading.ports) == case.ports
    assert (window(reading) if reading.window else None) == case.window
    assert reading.is_enough
    shown = "\n".join(reading.lines())
    assert all(word in shown for word in case.indicators)


def test_a_date_of_the_letter_or_its_answer_is_passed_over_and_said() -> None:
    reading = read(CHINESE_LETTER.text)
    assert [moment.text for moment in reading.times.taken] == ["2026年11月22日 09:14"]
    assert [moment.text for moment in reading.times.passed_over] == ["2026年11月30日", "2026年11月23日"]


def test_who_may_be_asked_is_not_looked_for() -> None:
    values = {value.text: value.role for value in read(ENGLISH_LETTER.text).values}
    assert values["abuse@example.org"] == values["https://abuse.example.org/botnets"] == Role.OTHER


def test_a_port_alone_needs_a_time() -> None:
    without = read("Your address 198.51.100.7 scans port 22 of others.")
    assert not without.is_enough
    assert "time" in without.lack
    assert read(ENGLISH_RANGE.text).searched_ports == [25]


def test_a_notice_of_nothing_says_so() -> None:
    reading = read("Dear sir, your host is infected. Regards")
    assert not reading.is_enough
    assert "no remote address" in reading.lack
    assert "no time" in "\n".join(reading.lines())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_text_is_read_in_the_encodings_of_those_who_write_notices(encoding: str) -> None:
    assert decode("目的IP：203.0.113.9".encode(encoding)) == "目的IP：203.0.113.9"


@pytest.mark.parametrize("content", [b"%PDF-1.4\0\0\xff\xfe\x80", bytes(range(256)), b"x" * (1 << 20) + b"x"])
def test_what_is_no_text_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"text|notice"):
        decode(content)


def test_hostile_text_is_read_within_bounds() -> None:
    for piece in ("1.", "a.", "2026-11-22 ", "h", "::", "hxxp[:]//", "年11月", "a@", "[.]", "源", "\t", "1.2.3.4 "):
        reading = read((piece * (200_000 // len(piece)))[:200_000])
        assert len(reading.values) <= 1000
        assert len(reading.times.taken) + len(reading.times.passed_over) <= 500
