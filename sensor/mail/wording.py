"""What makes two mails the same: subject and text without what differs from one recipient to the next."""

import re
from collections.abc import Iterable
from hashlib import blake2b
from urllib.parse import urlsplit

_REPLY = re.compile(
    r"^\s*(?:re|aw|sv|antw|fw|fwd|wg|tr|rv|回复|答复|回覆|转发|轉寄)\s*(?:\[\d+\])?\s*[::]\s*", re.IGNORECASE
)
_ADDRESS_OR_LINK = re.compile(r"\S*(?:://|@)\S*|\bwww\.\S+", re.IGNORECASE)
_OTHER_SCHEME = re.compile(r"[a-z][a-z0-9+-]*:(?!\d)", re.IGNORECASE)
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"\w+")
_FEWEST_CHARACTERS = 30
_FEWEST_SUBJECT_CHARACTERS = 4
_LONGEST_LINK = 2048


def subject_key(subject: str) -> str:
    """Give a subject in small letters, numbers as `#`, without marks of replies; empty if too short to tell."""
    text = _NUMBER.sub("#", bare_subject(subject).casefold())
    key = " ".join(_WORD.findall(text.replace("#", " 0 ")))
    return key if len(key) >= _FEWEST_SUBJECT_CHARACTERS else ""


def bare_subject(subject: str) -> str:
    """Give a subject without what replying and forwarding put before it."""
    while match := _REPLY.match(subject):
        subject = subject[match.end() :]
    return subject


def is_answer(subject: str) -> bool:
    """Whether a subject says that the mail answers or forwards another one."""
    return _REPLY.match(subject) is not None


def text_key(text: str, recipients: Iterable[str]) -> str:
    """Give a digest of a text without links, addresses, numbers and recipients' names; empty if too short to tell."""
    names = {word.casefold() for address in recipients for word in _WORD.findall(address.partition("@")[0])}
    bare = _NUMBER.sub(" ", _ADDRESS_OR_LINK.sub(" ", text)).casefold()
    words = [word for word in _WORD.findall(bare) if word not in names]
    joined = " ".join(words)
    if len(joined) < _FEWEST_CHARACTERS:
        return ""
    return blake2b(joined.encode("utf-8", "replace"), digest_size=12).hexdigest()


def host_of(link: str) -> str:
    """Give the host of a link in small letters, IPv6 in brackets, empty if there is none; a scheme may be missing."""
    link = link.strip()[:_LONGEST_LINK]
    if "://" not in link:
        link = "" if _OTHER_SCHEME.match(link) else f"http://{link}"
    try:
        parts = urlsplit(link)
        host = (parts.hostname or "").rstrip(".").casefold()
        # Packets show names of other scripts in their ASCII form.
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except ValueError:
        return ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.scheme.casefold() in {"http", "https"} else ""


def shown_host(shown: str) -> str:
    """Give the host that the text of a link claims to lead to, empty if it names none."""
    text = shown.strip()
    if not text or any(map(str.isspace, text)):
        return ""
    host = host_of(text)
    labels = host.split(".")
    named = len(labels) > 1 and all(labels) and labels[-1].isalpha() and "@" not in text
    return host if named else ""


def related(one: str, other: str) -> bool:
    """Whether two hosts are of one domain, as far as their last two labels tell."""
    return one.split(".")[-2:] == other.split(".")[-2:]
