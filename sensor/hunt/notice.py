# ruff: noqa: E501  # patterns, in which both scripts stand
"""What a notice says: which remote ends, ports and names at what time, and which address is our own.

The text is judged, never trusted to say what it means: the reading is shown, and every part of it can be given by hand.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address

from sensor.alerts.text import NS_PER_SECOND, endpoint
from sensor.hunt.defang import refang
from sensor.hunt.notice_times import MARGIN_SECONDS, Times, read_times
from sensor.hunt.window import Window

LARGEST_NOTICE_BYTES = 1 << 20
_MOST_FOUND = 1000
_CONTEXT = 40
_HIGHEST_PORT = 65_535


class Role(StrEnum):
    """What a value of a notice is taken for."""

    REMOTE = "remote"
    OWN = "own"
    OTHER = "not looked for"


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a notice; `kind` is `address`, `domain`, `url`, `mail`, `hash` or `ja4`."""

    kind: str
    text: str
    role: Role
    line: int
    port: int | None = None


@dataclass(slots=True)
class Reading:
    """What was taken as what."""

    values: list[Value]
    ports: list[int]
    own_ports: list[int]
    times: Times
    indicators: list[str] = field(default_factory=list)

    @property
    def window(self) -> Window | None:
        """The time to look through, None for all there is."""
        return self.times.window

    @property
    def searched_ports(self) -> list[int]:
        """Ports that alone tell what was met: those of a notice that names no remote end."""
        return [] if self.indicators else self.ports

    @property
    def is_enough(self) -> bool:
        """Whether there is anything to look for: a port alone is only with a time."""
        return bool(self.indicators) or bool(self.ports and self.window)

    @property
    def lack(self) -> str:
        """What is missing where it is not enough."""
        if self.ports:
            return "the notice names a port but no time: give --since and --until as well, and what is met there"
        return "the notice names no remote address, name, URL, hash or port: name what to look for by hand"

    def lines(self) -> Iterator[str]:
        """Say what was taken as what."""
        for role, meaning in (
            (Role.REMOTE, "looked for"),
            (Role.OWN, "our own, as seen from outside or inside"),
            (Role.OTHER, "not looked for"),
        ):
            for value in self.values:
                if value.role is role:
                    port = value.port if role is not Role.OWN else None
                    yield f"{meaning}: {value.kind} {endpoint(value.text, port)} (line {value.line})"
        yield from (f"port of the remote end: {port}" for port in self.ports)
        yield from (f"own port before or behind NAT, not looked for: {port}" for port in self.own_ports)
        yield from (f"time: {moment.text}" for moment in self.times.taken)
        yield from (f"date of the letter or in the future, not looked for: {it.text}" for it in self.times.passed_over)
        yield "hunted for: " + ", ".join(self.indicators or [f"port {port}" for port in self.searched_ports])
        yield self._window_line()

    def _window_line(self) -> str:
        window = self.window
        if window is None:
            return "no time: everything that is kept is looked through"
        first, last = (_local(time_ns) for time_ns in (window.since_ns, window.until_ns))
        margin = f"{MARGIN_SECONDS // 60} minutes more on both sides"
        return f"looked through: {first} to {last}, with {margin}; times are {self.times.zone}"


_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_V4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
_V6 = r"(?:[0-9A-Fa-f]{1,4}:){2,7}[0-9A-Fa-f]{1,4}|(?:[0-9A-Fa-f]{1,4}:){1,7}:(?:[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){0,5})?"
_NAME = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{1,61}"
_VALUE = re.compile(
    rf"(?P<url>https?://[^\s\"'<>\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]{{3,2000}})"
    rf"|(?P<mail>(?<![\w.+-])[\w.+-]{{1,64}}@{_NAME})"
    rf"|(?P<ja4>\b[tqd]\d\d[di]\d{{4}}[a-z0-9]{{2}}_[0-9a-f]{{12}}_[0-9a-f]{{12}}\b)"
    rf"|(?P<hash>(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{{64}}|[0-9A-Fa-f]{{32}})(?![0-9A-Za-z]))"
    rf"|(?<![\w.:])\[?(?P<v6>{_V6})(?:\](?::(?P<v6port>\d{{1,5}}))?)?(?![\w:.])"
    rf"|(?<![\d.])(?P<v4>{_V4})(?:(?P<prefix>/\d{{1,2}})(?!\d)|\s?:\s?(?P<port>\d{{1,5}})(?!\d|[:.]\d)|\s?\((?P<inport>\d{{2,5}})\))?(?![\w])(?!\.\d)"
    rf"|(?<![\w@.-])(?P<domain>{_NAME})(?![\w@])",
    re.ASCII,
)
_FILES = frozenset(
    [
        "exe",
        "dll",
        "txt",
        "pdf",
        "doc",
        "docx",
        "xls",
        "xlsx",
        "ppt",
        "pptx",
        "zip",
        "rar",
        "7z",
        "gz",
        "log",
        "csv",
        "pcap",
        "pcapng",
        "eml",
        "msg",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "htm",
        "html",
        "php",
        "asp",
        "aspx",
        "jsp",
        "js",
        "vbs",
        "ps1",
        "bat",
        "cmd",
        "sys",
        "tmp",
        "dat",
        "bin",
        "json",
        "xml",
        "yml",
        "yaml",
        "py",
        "lnk",
        "scr",
        "apk",
        "elf",
        "so",
    ]
)
_OWN_WORDS = (
    r"源\s?(?:ip|地址|端)|src|sour?ce|受害|受控|被控|感染|失陷|中毒|肉鸡|僵尸主机|[你贵本我该]\s?(?:单位|公司|校|院|局|司)|"
    r"涉事|涉及\s?ip|问题\s?ip|victim|infected|compromised|affected|your|client|公网|出口|内网|内部|internal|bot ip|zombie|NAT"
)
_REMOTE_WORDS = (
    r"目的|目标|dst|dest|remote|C2|C&C|CnC|控制|主控|远控|远程|恶意|malicious|attacker|攻击者|controller|command|"
    r"外联|回连|连接|通信|通联|访问|contact(?:s|ed|ing)?\b|connect|communicat|server|服务器|botnet|木马|malware|sinkhole|到|向|\bto\b|->|→|phish|钓鱼|下载|download"
)
_OTHER_WORDS = r"参考|详见|详情|官网|网站:|reference|see\b|more info|further information|联系|邮箱|电话|咨询|反馈|回复|contact us|please contact|questions|report to|reply|website|visit|http://schemas"
_SENDER_WORDS = r"发件|寄件|发信|sender|\bfrom\b|mail from|钓鱼|phish|恶意|malicious|伪造|forged|spoof"
_ROLES = re.compile(
    f"(?P<other>{_OTHER_WORDS})|(?P<sender>{_SENDER_WORDS})|(?P<own>{_OWN_WORDS})|(?P<remote>{_REMOTE_WORDS})",
    re.IGNORECASE,
)
_PORT = re.compile(
    r"(?P<label>源\s?|目的\s?|目标\s?|远程\s?|src[ _]?|sour?ce[ _]?|dst[ _]?|dest(?:ination)?[ _]?|remote[ _]?)?"
    r"(?:端口(?:号)?|\bport\b|\bports\b|sport\b|dport\b)\s?(?:为|是|number|is|[:=#])?\s?(?:(?:TCP|UDP)\s?/?\s?)?(?P<port>\d{1,5})(?!\d|[.:]\d)"
    r"|(?<![\d.:/-])(?P<before>\d{1,5})\s?(?:号)?端口|(?<![\d.:/-])(?P<slash>\d{1,5})/(?:tcp|udp)\b|\b(?:tcp|udp)/(?P<proto>\d{1,5})(?!\d)",
    re.IGNORECASE,
)
_OWN_PORT = re.compile(rf"源|本地|local|sport|{_OWN_WORDS}", re.IGNORECASE)
_CELLS = re.compile(r"\t+|\s*\|\s*|\s{2,}|,\s*|;\s*")
_HEADER = re.compile(rf"{_OWN_WORDS}|{_REMOTE_WORDS}|端口|port|时间|time|\bip\b|域名|domain", re.IGNORECASE)
_ARROW = re.compile(r"\s*(?:-+>|=+>|→|至|到)\s*")


def decode(content: bytes) -> str:
    """Give the text of a file in UTF-8, UTF-16 or GB 18030. ValueError: it is none, or too long."""
    if len(content) > LARGEST_NOTICE_BYTES:
        raise ValueError(f"longer than {LARGEST_NOTICE_BYTES >> 20} MiB: no notice")
    encodings = ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError("not text: save the notice as plain text")


def read_notice(text: str, is_internal: Callable[[str], bool], now_ns: int) -> Reading:
    """Read a notice; `is_internal` tells addresses of the own networks, times without a zone are this machine's."""
    # Forms of letters and digits that only look different become one.
    text = refang(unicodedata.normalize("NFKC", text))
    now = datetime.fromtimestamp(now_ns / NS_PER_SECOND).astimezone()
    reader = _Reader(is_internal)
    for number, line in enumerate(text.splitlines(), start=1):
        reader.take(number, line)
    return reader.reading(read_times(text, now))


class _Reader:
    """Reads line by line; what stands above may say what a line means."""

    def __init__(self, is_internal: Callable[[str], bool]) -> None:
        self._is_internal = is_internal
        self._values: dict[tuple[str, str, int | None], Value] = {}
        self._ports: dict[int, None] = {}
        self._own_ports: dict[int, None] = {}
        self._header: list[str] = []
        self._label = ""
        self._named_ports: set[int] = set()

    def take(self, number: int, line: str) -> None:
        """Read a line."""
        values = len(self._values)
        self._named_ports.clear()
        self._take_line(number, line)
        self._pair(list(self._values.values())[values:])

    def _pair(self, values: list[Value]) -> None:
        """Give the one remote address of a line the one port that it names."""
        remotes = [value for value in values if value.kind == "address" and value.role is Role.REMOTE]
        if len(remotes) == 1 and len(self._named_ports) == 1 and remotes[0].port is None:
            paired = replace(remotes[0], port=next(iter(self._named_ports)))
            values = [paired if value is remotes[0] else value for value in self._values.values()]
            self._values = {(value.kind, value.text, value.port): value for value in values}

    def _take_line(self, number: int, line: str) -> None:
        cells = list(_CELLS.split(line.strip().strip("|")))
        found = list(_VALUE.finditer(line))
        if not any(match.lastgroup or match["v4"] for match in found) and _is_header(cells):
            self._header = cells
        if self._header and len(cells) == len(self._header) and cells != self._header:
            for head, cell in zip(self._header, cells, strict=True):
                self._take_text(number, cell, f"{head}: ")
            return
        if not line.strip():
            self._header = []
        self._take_text(number, line, self._label)
        self._label = line[-_CONTEXT:] if line.rstrip().endswith(":") or (not found and len(line) < _CONTEXT) else ""

    def reading(self, times: Times) -> Reading:
        """Give what was read of all lines."""
        values = list(self._values.values())
        reading = Reading(values, list(self._ports), list(self._own_ports), times)
        # A label that fits all addresses tells nothing: then what is not inside is what was met.
        reading.indicators = list(dict.fromkeys(_indicators(values, list(self._ports))))
        return reading

    def _take_text(self, number: int, text: str, label: str) -> None:
        for found in _VALUE.finditer(text):
            if len(self._values) >= _MOST_FOUND:
                return
            before = (label + text[: found.start()])[-_CONTEXT:]
            value = self._value(number, found, before, text[found.end() :])
            if value is not None:
                self._values.setdefault((value.kind, value.text, value.port), value)
        for found in _PORT.finditer(label + text):
            self._take_port(found, label)

    def _take_port(self, found: re.Match[str], label: str) -> None:
        number = next(text for text in (found["port"], found["before"], found["slash"], found["proto"]) if text)
        # What stands above says whose port it is, as words beside it do.
        said = label if found.start() < len(label) else found[0]
        self._note_port(int(number), is_own=bool(_OWN_PORT.search(said)))

    def _note_port(self, port: int, *, is_own: bool) -> None:
        if 0 < port <= _HIGHEST_PORT:
            (self._own_ports if is_own else self._ports)[port] = None
            if not is_own:
                self._named_ports.add(port)

    def _value(self, number: int, found: re.Match[str], before: str, behind: str) -> Value | None:
        if found["v4"] or found["v6"]:
            return self._address(number, found, before, behind)
        kind = found.lastgroup or ""
        text = found[kind]
        role = _role(before)
        if kind == "domain" and text.rpartition(".")[2].lower() in _FILES:
            return None
        if kind == "url":
            text = text.rstrip(".,;:!?)]}'\"")
        if kind == "mail":
            taken = role in {Role.REMOTE, None} and bool(re.search(_SENDER_WORDS, before, re.IGNORECASE))
            return Value(kind, text, Role.REMOTE if taken else Role.OTHER, number)
        return Value(kind, text, role or Role.REMOTE, number)

    def _address(self, number: int, found: re.Match[str], before: str, behind: str) -> Value | None:
        text = found["v4"] or found["v6"]
        try:
            address = ip_address(text)
        except ValueError:
            return None
        if address.is_loopback or address.is_unspecified or address.is_multicast:
            return None
        port = int(found["port"] or found["inport"] or found["v6port"] or 0) or None
        if port is not None and port > _HIGHEST_PORT:
            port = None
        role = _role(before)
        if self._is_internal(str(address)) or (role is None and _ARROW.match(behind)):
            role = Role.OWN
        shown = str(address) + (found["prefix"] or "")
        return Value("address", shown, role or Role.REMOTE, number, port)


def _is_header(cells: list[str]) -> bool:
    labelled = sum(bool(_HEADER.search(cell)) for cell in cells)
    return len(cells) > 1 and labelled > len(cells) // 2 and all(len(cell) < _CONTEXT for cell in cells)


def _role(before: str) -> Role | None:
    """Give what the nearest words before a value say that it is."""
    last = None
    for found in _ROLES.finditer(before):
        last = found
    if last is None:
        return None
    if last["other"]:
        return Role.OTHER
    return Role.OWN if last["own"] else Role.REMOTE


def _indicators(values: list[Value], ports: list[int]) -> Iterator[str]:
    for value in values:
        if value.role is not Role.REMOTE:
            continue
        if value.kind != "address":
            yield value.text
            yield from _hosts(value)
        elif value.port is None and len(ports) == 1 and "/" not in value.text:
            # The one port that the notice names is that of whom it names.
            yield endpoint(value.text, ports[0])
        else:
            yield endpoint(value.text, value.port)


def _hosts(value: Value) -> Iterator[str]:
    """Give the host of a URL as well: what is asked for in TLS shows no more."""
    if value.kind == "url":
        authority = value.text.partition("://")[2].partition("/")[0].partition("?")[0]
        yield authority.partition(":")[0] if not re.fullmatch(rf"{_V4}(:\d+)?", authority) else authority


def _local(time_ns: int) -> str:
    return f"{datetime.fromtimestamp(time_ns / NS_PER_SECOND).astimezone():%Y-%m-%d %H:%M %z}"
