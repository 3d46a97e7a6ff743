"""Patterns of STIX 2 (https://docs.oasis-open.org/cti/stix/v2.1/os/stix-v2.1-os.html, section 9) that list values.

Taken are comparisons of addresses, domain names and URLs with `=`, `IN` and `ISSUBSET`, joined by OR: each value is an
indicator of its own. What asks for two things at once (AND, FOLLOWEDBY, WITHIN, NOT) or for likeness is refused.
"""

import re
from collections.abc import Iterator
from typing import Final

_STRING = r"'(?:[^'\\]|\\.)*'"
_TERM = (
    r"(?P<object>ipv4-addr|ipv6-addr|domain-name|url):value\s*"
    rf"(?P<operator>==?|IN\b|ISSUBSET\b)\s*(?P<operand>{_STRING}|\(\s*{_STRING}(?:\s*,\s*{_STRING})*\s*\))"
)
_TOKEN = re.compile(rf"\s*(?:{_TERM}|(?P<opener>[\[(])|(?P<closer>[\])])|(?P<joint>OR\b))\s*")
_SINGLE = re.compile(rf"\[\s*{_TERM}\s*\]")
_VALUE = re.compile(_STRING)
_ESCAPED = re.compile(r"\\(.)")
_KINDS: Final = {"domain-name": "domain", "url": "url"}
_CLOSES: Final = {"]": "[", ")": "("}
_REASON = "not a list of values: only =, IN and ISSUBSET of addresses, domain names and URLs, joined by OR, are taken"
_LONGEST_PATTERN = 64 * 1024


def indicators(pattern: str) -> list[tuple[str, str]]:
    """Give type and value of each indicator. Raises ValueError for every other pattern."""
    if len(pattern) > _LONGEST_PATTERN:
        raise ValueError(f"a pattern longer than {_LONGEST_PATTERN} characters")
    single = _SINGLE.fullmatch(pattern)
    if single:
        return _values(single, ["["])
    found: list[tuple[str, str]] = []
    open_marks: list[str] = []
    wants_operand = True
    for token in _tokens(pattern):
        if wants_operand != bool(token["opener"] or token["object"]):
            raise ValueError(_REASON)
        if token["opener"]:
            _open(token["opener"], open_marks)
        elif token["object"]:
            found += _values(token, open_marks)
            wants_operand = False
        elif token["closer"]:
            if not open_marks or open_marks.pop() != _CLOSES[token["closer"]]:
                raise ValueError(_REASON)
        else:
            wants_operand = True
    if wants_operand or open_marks:
        raise ValueError(_REASON)
    return found


def _tokens(pattern: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(pattern):
        token = _TOKEN.match(pattern, at)
        if token is None:
            raise ValueError(_REASON)
        yield token
        at = token.end()


def _open(mark: str, open_marks: list[str]) -> None:
    """An observation stands in brackets and holds none."""
    if mark == "[" and "[" in open_marks:
        raise ValueError(_REASON)
    open_marks.append(mark)


def _values(token: re.Match[str], open_marks: list[str]) -> list[tuple[str, str]]:
    operator, operand = token["operator"], token["operand"]
    is_name = token["object"] in _KINDS
    if "[" not in open_marks or (operator == "IN") != operand.startswith("(") or (operator == "ISSUBSET" and is_name):
        raise ValueError(_REASON)
    values = [_ESCAPED.sub(r"\1", text[1:-1]) for text in _VALUE.findall(operand)]
    return [(_KINDS.get(token["object"]) or ("cidr" if "/" in value else "ip"), value) for value in values]
