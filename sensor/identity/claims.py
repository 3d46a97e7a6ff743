"""What hosts say of themselves inside of conversations: programs that ask the web, and who logs on or has a ticket."""

from collections.abc import Iterator

from sensor.identity.facts import Evidence, PuntedFrame
from sensor.identity.names import clean_agent, clean_name

_HOST_SERVICE = "host/"


def read_agent(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give what a User-Agent field says."""
    yield Evidence(frame.time_ns, "agent", frame.addresses[0], agent=clean_agent(frame.message))


def read_krb5(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give whom Kerberos has given a ticket to (RFC 4120): a computer's account is the host's name."""
    name, realm = _words(frame, 2)
    ip = frame.addresses[0]
    if name.endswith("$") or name.startswith(_HOST_SERVICE):
        yield Evidence(frame.time_ns, "krb5", ip, name=clean_name(name.removeprefix(_HOST_SERVICE).rstrip("$")))
    else:
        yield Evidence(frame.time_ns, "krb5", ip, user=_joined(clean_name(name), "@", clean_name(realm)))


def read_ntlm(frame: PuntedFrame) -> Iterator[Evidence]:
    """Give who logs on by NTLM, and at which computer ([MS-NLMP] section 2.2.1.3)."""
    user, domain, workstation = _words(frame, 3)
    ip = frame.addresses[0]
    if user.endswith("$"):
        yield Evidence(frame.time_ns, "ntlm", ip, name=clean_name(user.rstrip("$")))
        return
    shown = _joined(clean_name(domain), "\\", clean_name(user)) if domain else clean_name(user)
    yield Evidence(frame.time_ns, "ntlm", ip, name=clean_name(workstation), user=shown)


def _words(frame: PuntedFrame, number: int) -> list[str]:
    """Take a claim apart; the core cuts a long one, which leaves the last words empty."""
    words = frame.message.decode("utf-8", "replace").split("\0")[:number]
    return words + [""] * (number - len(words))


def _joined(first: str | None, between: str, second: str | None) -> str | None:
    return f"{first}{between}{second}" if first and second else first or second


_SYSTEMS = (
    ("Windows Phone", None),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows NT", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def system_of(agents: list[str]) -> str | None:
    """Say which system a host runs, if all its programs that tell one agree: of a proxy they do not."""
    told = {next((system for mark, system in _SYSTEMS if mark in agent), None) for agent in agents} - {None}
    return told.pop() if len(told) == 1 else None
