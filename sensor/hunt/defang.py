# ruff: noqa: RUF001  # colons and brackets of both scripts
"""Indicators as notices write them, so that nobody clicks on them: `hxxp://evil[.]example`, `1.2.3[.]4`."""

import re

_SCHEME = re.compile(r"\bh(?:xx|tt|\*\*|__)ps?(?=\s?(?:\[?:\]?|\[://\])//|\[://\])", re.IGNORECASE)
_DOT = re.compile(r"\s?(?:\[(?:\.|dot|点)\]|\((?:\.|dot|点)\)|\{(?:\.|dot)\}|【\.】|\[\.)\s?", re.IGNORECASE)
_AT = re.compile(r"\s?(?:\[(?:@|at)\]|\((?:@|at)\))\s?", re.IGNORECASE)
_COLON = re.compile(r"\[:\]|\[：\]")
_SLASHES = re.compile(r"\[://\]|\[:\]//|:\[//\]")


def refang(text: str) -> str:
    """Give text with its indicators as they are on the wire."""
    text = _SCHEME.sub(lambda found: "https" if found[0].lower().endswith("s") else "http", text)
    text = _SLASHES.sub("://", text)
    text = _COLON.sub(":", text)
    return _AT.sub("@", _DOT.sub(".", text))
