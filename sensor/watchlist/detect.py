"""Which format a list is in, by its beginning: the first line that says something, or the header in a comment."""

import csv
import re
from collections.abc import Iterator

from sensor.config.detection import ListFormat
from sensor.watchlist import feodo, hosts, suricata_dataset, suricata_iprep, threatfox, urlhaus, zeek

# A header stands at the top; comments before it are a few kilobytes at most.
_HEAD_BYTES = 64 * 1024

_MARK = b"\xef\xbb\xbf"

# Keys that only one feed in JSON has, the surest first. Text within JSON escapes its quotes, so that these are keys.
_JSON_KEYS: tuple[tuple[ListFormat, re.Pattern[str]], ...] = (
    ("threatfox", re.compile(r'"ioc_type"\s*:')),
    ("stix", re.compile(r'"type"\s*:\s*"bundle"|"(?:pattern_type|spec_version)"\s*:')),
    ("misp", re.compile(r'"(?:Event|Attribute|to_ids)"\s*:')),
    ("spamhaus", re.compile(r'"(?:cidr|sblid|asn)"\s*:|"type"\s*:\s*"metadata"')),
    ("feodo", re.compile(r'"ip_address"\s*:')),
    ("yaml", re.compile(r'\bindicators?"?\s*:|\[\s*\]')),
)
_JSON = re.compile(r"\s*(?:\{|\[\s*[{\]])")
_YAML = re.compile(r"---|-\s|indicators\s*:")
_ADBLOCK = re.compile(r"!|\[Adblock|(?:@@)?\|\|")
_NOT_LISTS = (
    (re.compile(rb"\s*<(?:!doctype|html|head|body|\?xml)", re.IGNORECASE), "an HTML or XML page, not a list"),
    (re.compile(rb"\x1f\x8b|PK\x03\x04|\x28\xb5\x2f\xfd|BZh|\xfd7zXZ"), "compressed; unpack it first"),
)


def no_list(text: bytes) -> str | None:
    """Say why a file is no list in any format, None if it may be one: a download often leaves an error page."""
    head = text[:_HEAD_BYTES].removeprefix(_MARK)
    return next((reason for pattern, reason in _NOT_LISTS if pattern.match(head)), None)


def detect(text: bytes) -> ListFormat:
    """Tell the format. What nothing else fits is `plain`, so that the core says of each line what is wrong.

    Raises ValueError for JSON of no known feed.
    """
    head = text[:_HEAD_BYTES].removeprefix(_MARK).decode("utf-8", errors="replace")
    if _JSON.match(head):
        return _of_json(head)
    for line in _lines(head):
        found = _of_comment(line) if line.startswith("#") else _of_line(line)
        if found:
            return found
    return "plain"


def _lines(head: str) -> Iterator[str]:
    return filter(None, map(str.strip, head.split("\n")))


def _of_json(head: str) -> ListFormat:
    for name, keys in _JSON_KEYS:
        if keys.search(head):
            return name
    raise ValueError("JSON, but of no feed that is known; `format` can name one")


def _of_comment(line: str) -> ListFormat | None:
    """Tell by a comment that is a header; None if it is none."""
    if line.startswith(zeek.HEADER):
        return "zeek"
    names = _names(line.lstrip("# "))
    if names >= threatfox.FEED.required:
        return "threatfox"
    return "urlhaus" if names >= urlhaus.FEED.required else None


def _of_line(line: str) -> ListFormat:
    """Tell by the first line that is no comment."""
    by_names = _of_names(_names(line))
    if by_names:
        return by_names
    words = line.split()
    if words[0] in hosts.SINKS and len(words) > 1 and not words[1].startswith("#"):
        return "hosts"
    patterns: tuple[tuple[ListFormat, re.Pattern[str]], ...] = (("adblock", _ADBLOCK), ("yaml", _YAML))
    found = next((name for name, pattern in patterns if pattern.match(line)), None)
    if found:
        return found
    if suricata_iprep.LINE.fullmatch(line):
        return "suricata-iprep"
    return "suricata-dataset" if suricata_dataset.unpack(line.split(",", 1)[0]) else "plain"


def _of_names(names: frozenset[str]) -> ListFormat | None:
    if "indicator" in names:
        return "csv"
    headers: tuple[tuple[ListFormat, frozenset[str]], ...] = (
        ("feodo", feodo.FEED.required),
        ("threatfox", threatfox.FEED.required),
        ("urlhaus", urlhaus.FEED.required),
    )
    return next((name for name, required in headers if names >= required), None)


def _names(line: str) -> frozenset[str]:
    try:
        return frozenset(cell.strip().lower() for cell in next(csv.reader([line], skipinitialspace=True), []))
    except csv.Error:
        return frozenset()
