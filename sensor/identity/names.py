"""Names from the wire, made harmless before anybody keeps them."""

import unicodedata

LONGEST_NAME = 63
"""Characters of a name that are kept; a label has no more (RFC 1035, 2.3.4)."""

LONGEST_AGENT = 256
"""Characters of a User-Agent field that are kept."""

_PLAIN = frozenset("-_.")
_REPLACEMENT = "?"


def clean_name(raw: bytes | str) -> str | None:
    """Give a name that cannot steer a terminal, forge a column or turn a line around; None if nothing is left.

    Letters and digits that are written from left to right, `-`, `_` and `.` stay, anything else becomes `?`.
    """
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    text = text.partition("\0")[0].strip(" .")[:LONGEST_NAME]
    return "".join(character if _is_harmless(character) else _REPLACEMENT for character in text) or None


def clean_text(raw: bytes | str) -> str | None:
    """Give a description the same way; single spaces, `/`, `:`, `(`, `)` and `,` stay, too."""
    return _cleaned(raw, " /:(),+#", LONGEST_NAME)


def clean_agent(raw: bytes | str) -> str | None:
    """Give what a program says of itself the same way; what stands in User-Agent fields stays, too."""
    return _cleaned(raw, " /:(),+#;=[]@*", LONGEST_AGENT)


def _cleaned(raw: bytes | str, also: str, longest: int) -> str | None:
    words = (raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw).partition("\0")[0].split()
    text = " ".join(words)[:longest]
    return "".join(c if c in also or _is_harmless(c) else _REPLACEMENT for c in text) or None


def _is_harmless(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in _PLAIN
    return character.isalnum() and unicodedata.bidirectional(character) == "L"
