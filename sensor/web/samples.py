"""A rule's own samples, tried with the core."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sensor.web.rules import WebRule, as_json

if TYPE_CHECKING:
    from sensor._native import WebRules

Found = tuple[str, str, str, str, str, str, bool]
_HEAD = b"GET %s HTTP/1.1\r\nHost: www.example.com\r\n\r\n"


def as_request(sample: str) -> bytes:
    """Give a sample as it would stand on the wire: a target, or a request with line feeds alone."""
    if sample.startswith("/"):
        return _HEAD % sample.encode()
    head, _, body = sample.partition("\n\n")
    if "multipart/" in head.lower():
        body = body.replace("\n", "\r\n")
    lines = head.split("\n")
    content = body.encode()
    if content and "content-length:" not in head.lower():
        lines.append(f"Content-Length: {len(content)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def as_answer(body: str) -> bytes:
    """Give an answer with this body."""
    content = body.encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(content) + content


def wrong_samples(rules: Sequence[WebRule]) -> Iterator[tuple[WebRule, str, str]]:
    """Give each sample that does not come out as it should, with its rule and what is wrong."""
    from sensor._native import WebRules  # noqa: PLC0415  # late: commands that need no core start fast

    core = WebRules.compile(as_json(rules))
    asked = {rule.category: rule.attack[0] for rule in reversed(rules) if rule.attack and "response" not in rule.where}
    for rule in rules:
        yield from _wrong_of(core, rule, asked.get(rule.category, "/"))


def _wrong_of(core: "WebRules", rule: WebRule, asked: str) -> Iterator[tuple[WebRule, str, str]]:
    answers = "response" in rule.where
    for sample in rule.attack:
        found = core.inspect(as_request(asked), as_answer(sample)) if answers else core.inspect(as_request(sample), b"")
        if not any(_is_of(rule, row) for row in found):
            yield rule, sample, "is not found"
    for sample in rule.benign:
        found = core.inspect(as_request(asked), as_answer(sample)) if answers else core.inspect(as_request(sample), b"")
        wrong = [row[1] for row in found if not answers or _is_of(rule, row)]
        if wrong:
            yield rule, sample, f"is taken for an attack by {', '.join(wrong)}"


def _is_of(rule: WebRule, row: Found) -> bool:
    category, name, _, _, _, evidence, _ = row
    return rule.weakness == evidence if "response" in rule.where else rule.category == category and bool(name)
