"""What an injected statement asks of the database, as far as its text alone tells: conditions of literals, and waits.

Texts are excerpts of findings: decoded, in small letters, with single spaces.
"""

import re
from typing import NamedTuple

_LITERAL = r"-?\d{1,10}|'[a-z0-9]{0,40}'?|\"[a-z0-9]{0,40}\"?"
_SIGN = r"<=>|<=|>=|<>|!=|=|<|>|like\b"
# What stands behind a literal may make another value of it: 1=1+1.
_CONDITION = re.compile(
    rf"(\band\b|\bor\b|\bhaving\b|&&)[ (]*(not\b[ (]*)?({_LITERAL}) ?({_SIGN}) ?({_LITERAL})(?! ?[.+*/%|=<>!-]|[\w'\"])"
)
_COMMENT = re.compile(r"(--|#|/\*).*")
_CHARACTER = re.compile(r"[a-z0-9]")

_WAITS = (
    (re.compile(r"sleep ?\([( '\"]{0,3}(\d{1,6}(?:\.\d{1,6})?)"), (1.0,)),
    (re.compile(r"waitfor delay ?[('\" ]{1,4}(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d{1,6})?)"), (3600.0, 60.0, 1.0)),
    (re.compile(r"receive_message ?\(.{1,80}?, ?(\d{1,6})"), (1.0,)),
    # Rounds of a sum, of which the fastest computers take some five million a second.
    (re.compile(r"benchmark ?\( ?(\d{1,12})"), (2e-7,)),
)
"""Calls that make a database wait, and how many seconds one of each of their numbers stands for."""


class Condition(NamedTuple):
    """What the literals of a statement come to.

    Statements of one `shape` differ in nothing but the letters and digits that are compared (`compared`) and those of a
    comment at the end, and are of one length.
    """

    shape: str
    compared: str
    truth: bool


def condition_of(text: str) -> Condition | None:
    """Give the condition of a statement; None if it has none of literals alone, or one that is not understood."""
    comment = _COMMENT.search(text)
    end = comment.start() if comment else len(text)
    found = list(_CONDITION.finditer(text, 0, end))
    truths = [_truth(*match.groups()[1:]) for match in found]
    joined_by_or = {match[1] == "or" for match in found}
    if None in truths or len(joined_by_or) != 1:
        return None
    compared = " ".join(match[group] for match in found for group in (3, 5))
    truth = any(truths) if joined_by_or == {True} else all(truths)
    return Condition(_shape(text, found, end), compared, truth)


def wait_seconds(text: str) -> float:
    """Give how long a statement makes the database wait, 0 if it does not; the longest of several waits."""
    waits = [
        sum(float(number) * weight for number, weight in zip(match.groups(), weights, strict=True))
        for pattern, weights in _WAITS
        for match in pattern.finditer(text)
    ]
    return max(waits, default=0.0)


def _truth(negation: str | None, left: str, sign: str, right: str) -> bool | None:
    quoted = [literal[0] in "'\"" for literal in (left, right)]
    one, other = (literal.strip("'\"") for literal in (left, right))
    if all(quoted):
        order = (one > other) - (one < other)
    elif all(re.fullmatch(r"-?\d+", text) for text in (one, other)):
        order = (int(one) > int(other)) - (int(one) < int(other))
    else:
        return None  # databases disagree on what a text is as a number
    truth = {"=": order == 0, "<=>": order == 0, "like": order == 0, "<>": order != 0, "!=": order != 0}.get(sign)
    if truth is None:
        truth = {"<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[sign]
    return truth != bool(negation)


def _shape(text: str, found: list[re.Match[str]], end: int) -> str:
    pieces, place = [], 0
    for start, stop in (match.span(group) for match in found for group in (3, 5)):
        pieces += [text[place:start], _CHARACTER.sub("?", text[start:stop])]
        place = stop
    return "".join([*pieces, text[place:end], _CHARACTER.sub("?", text[end:])])
