"""What happens in the case, act by act."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sensor.demo import messages
from tests.traffic import case_web
from tests.traffic.case import WRONG_PASSWORDS, Case, groups
from tests.traffic.case_letters import Delivery, Letter, deliver, read_by_imap, read_by_pop3
from tests.traffic.case_noise import ordinary_day
from tests.traffic.case_scene import Asked, Scene, Sent

_PASSWORD = "Sommer-2026!"  # noqa: S105 -- an invented one; it must appear in no output
PASSWORDS = (*WRONG_PASSWORDS, _PASSWORD)
"""What no log and no report may show."""


@dataclass(frozen=True)
class _Sending:
    """One connection of the campaign: when, as a share of the whole time, and which letters."""

    share: float
    letters: tuple[Letter, ...]


def happenings(case: Case) -> list[Sent]:
    """All frames in time order, as the network carries them."""
    return played(case).in_time_order()


def played(case: Case) -> Scene:
    """The scene when all is over."""
    scene = Scene(case.start_seconds, case.seed)
    ordinary_day(scene, case)
    if case.attack:
        sendings = list(_campaign(case))
        _send(scene, case, sendings)
        if not case.tls:
            sent = [letter for sending in sendings for letter in sending.letters]
            _read(scene, case, sent)
            _warn(scene, case, sent[0])
        _click(scene, case)
        _break_in(scene, case)
    return scene


def _campaign(case: Case) -> Iterator[_Sending]:
    """The letters, one to three a connection, from 5 % to 25 % of the time."""
    letters = [_letter(case, number, to) for number, to in enumerate(groups(case.users))]
    at = 0
    while at < len(letters):
        size = 1 + len(letters[at].recipients[0]) % 3
        yield _Sending(0.05 + 0.2 * at / len(letters), tuple(letters[at : at + size]))
        at += size


def _letter(case: Case, number: int, recipients: tuple[str, ...]) -> Letter:
    url, text = case.url, case.text
    if case.personal:
        url = f"{case.url}/?u={number * 7919:x}"
        text = text.replace("colleague", recipients[0].partition("@")[0])
    letter = Letter(
        sender=case.senders[number % len(case.senders)],
        name=case.sender_name,
        recipients=recipients,
        subject=case.subject,
        text=text.format(url="" if case.shown else url),
        message_id=f"{number:04d}.{case.seed}@{case.attacker}",
        date_seconds=case.start_seconds,
        charset=case.charset,
        transfer=case.transfer,
        headers=(("X-Mailer", "Foxmail 7.2.25"),),
    )
    return replace(letter, links=((url, case.shown),)) if case.shown else letter


def _send(scene: Scene, case: Case, sendings: list[_Sending]) -> None:
    for number, sending in enumerate(sendings):
        delivery = Delivery(
            client=case.attacker,
            server=case.mail_server,
            helo="localhost.localdomain",
            envelope=case.envelope,
            unknown=case.unknown,
            pipelined=number % 2 == 1,
            starttls=case.tls,
            server_name=case.web_host,
        )
        deliver(scene, sending.share * case.span_seconds, delivery, sending.letters)


def _read(scene: Scene, case: Case, sent: list[Letter]) -> None:
    """Some mailboxes are read through the reader, and a few letters are relayed to it."""
    at = 0.27 * case.span_seconds
    arrived = [letter.received(case.web_host, case.attacker, case.start_seconds) for letter in sent]
    for number, letter in enumerate(arrived[:9]):
        login = (letter.recipients[0], _PASSWORD)
        read = read_by_pop3 if number % 3 else read_by_imap
        at = 2 + read(scene, at, (case.reader, case.mail_server), login, [letter])
    relay = Delivery(client=case.mail_server, server=case.reader, helo=case.web_host, envelope=case.envelope)
    deliver(scene, at, relay, arrived[9:14])


def _warn(scene: Scene, case: Case, letter: Letter) -> None:
    """A reader passes the mail on, and the security team warns everybody with the mail quoted."""
    team = f"security@{case.domain}"
    quoted = "".join(f"> {line}\r\n" for line in letter.text.split("\r\n"))
    passed_on = replace(
        letter,
        sender=letter.recipients[0],
        name="",
        recipients=(team,),
        subject=f"Fwd: {case.subject}",
        text=f"Is this one yours?\r\n\r\n{quoted}",
        message_id=f"forwarded.{case.seed}@{case.domain}",
    )
    warning = replace(
        passed_on,
        sender=team,
        recipients=tuple(user for user in case.users if user not in case.unknown),
        subject=f"Warning: {case.subject}",
        text=f"This is phishing, do not follow the link:\r\n\r\n{quoted}",
        message_id=f"warning.{case.seed}@{case.domain}",
    )
    delivery = Delivery(
        client=case.reader, server=case.mail_server, helo="reader", port=587, login=(letter.recipients[0], _PASSWORD)
    )
    deliver(scene, 0.45 * case.span_seconds, delivery, [passed_on])
    deliver(scene, 0.5 * case.span_seconds, replace(delivery, login=(team, _PASSWORD)), [warning])


def _click(scene: Scene, case: Case) -> None:
    by_http, by_tls, by_name = case.clickers
    at = 0.3 * case.span_seconds
    for client in (by_http, by_tls, by_name):
        scene.look_up(at, client, case.resolver, case.url_host, case.lure)
        at += 20
    # The resolver had to ask somebody itself.
    scene.look_up(0.3 * case.span_seconds + 0.000_5, case.resolver, "198.51.100.53", case.url_host, case.lure)
    at = 0.3 * case.span_seconds + 0.01
    if case.url.startswith("https"):
        _whisper(scene, at, by_http, case)
    else:
        page = case_web.Exchange(case_web.get(case.url_host, "/"), 200, b"<html><form>Sign in</form></html>")
        case_web.visit(scene, at, (by_http, case.lure), [page])
        scene.asked.append(Asked(at, by_http, case.lure, "http", case.url_host))
    _whisper(scene, at + 20, by_tls, case)


def _whisper(scene: Scene, at: float, client: str, case: Case) -> None:
    talk = scene.talk(at, client, case.lure, 443)
    talk.say(messages.client_hello(case.url_host, 7))
    scene.asked.append(Asked(at, client, case.lure, "tls", case.url_host))
    talk.hear(messages.server_hello(7))
    talk.close()


def _break_in(scene: Scene, case: Case) -> None:
    """The web mail, from the log-in to the webshell, and at last the mailbox itself."""
    host, ends = case.web_host, (case.attacker, case.mail_server)
    acts = (
        case_web.logins(host, case.victim, WRONG_PASSWORDS, _PASSWORD),
        case_web.injections(host),
        case_web.scripts(host),
        case_web.climbs(host),
        case_web.upload(host),
        case_web.commands(host),
    )
    for number, exchanges in enumerate(acts):
        case_web.visit(scene, (0.6 + 0.05 * number) * case.span_seconds, ends, exchanges)
    read_by_pop3(scene, 0.92 * case.span_seconds, ends, (case.victim, _PASSWORD), [])
