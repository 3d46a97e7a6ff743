"""The ordinary day around the case: browsing, letters from suppliers, newsletters, a mailing list, invoices."""

from __future__ import annotations

from sensor.demo import messages
from tests.traffic import case_web
from tests.traffic.case import BYSTANDERS, Case
from tests.traffic.case_letters import Delivery, Letter, deliver, read_by_pop3
from tests.traffic.case_scene import Scene
from tests.traffic.payloads import SITES

_PCS = range(101, 113)
_VISITS = 10
_SITE_SERVER = "203.0.113.10"
_TIME_SERVER = "203.0.113.123"
_NEWS_SERVER, _SHOP_SERVER, _LIST_SERVER = "198.51.100.25", "198.51.100.80", "198.51.100.40"
_ORDERS, _NEWS, _BILLING, _LIST = (f"{name}@{domain}" for name, domain in BYSTANDERS)
SHOP_HOST = "portal.shop.example"
NEWS_HOST = "links.letters.example"


def ordinary_day(scene: Scene, case: Case) -> None:
    """Puts everything that nobody should be alarmed about."""
    _browse(scene, case)
    _letters_from_outside(scene, case)
    _newsletter(scene, case)
    _mailing_list(scene, case)
    _invoices(scene, case)
    _colleagues(scene, case)


def _browse(scene: Scene, case: Case) -> None:
    """Each machine sets its clock and looks at a few sites, one of them the shop that will send invoices."""
    network = case.mail_server.rpartition(".")[0]
    for number, last in enumerate(_PCS):
        client = f"{network}.{last}"
        scene.set_clock(number, client, _TIME_SERVER)
        for visit in range(_VISITS):
            at = (number * 0.37 + visit) / _VISITS * case.span_seconds % case.span_seconds
            site = SHOP_HOST if visit == number == 0 else SITES[(number * 7 + visit) % len(SITES)]
            scene.look_up(at, client, case.resolver, site, _SITE_SERVER)
            if visit % 2:
                page = case_web.Exchange(case_web.get(site, f"/{visit}/index.html"), 200, b"<p>office</p>" * 300)
                case_web.visit(scene, at + 0.01, (client, _SITE_SERVER), [page])
            else:
                talk = scene.talk(at + 0.01, client, _SITE_SERVER, 443)
                talk.say(messages.client_hello(site, visit))
                talk.hear(messages.server_hello(visit))
                talk.close()


def _outside(case: Case, client: str, helo: str, envelope: str = "") -> Delivery:
    return Delivery(
        client=client,
        server=case.mail_server,
        helo=helo,
        envelope=envelope,
        starttls=case.tls,
        server_name=case.web_host,
    )


def _letter(case: Case, number: int, sender: str, recipients: tuple[str, ...], subject: str) -> Letter:
    message_id = f"{number}.{subject[:3]}@{sender.partition('@')[2]}"
    letter = Letter(sender, recipients, subject, f"{subject}\r\n\r\nRegards\r\n", message_id)
    return letter.dated(case.start_seconds)


def _letters_from_outside(scene: Scene, case: Case) -> None:
    """The harmless peer writes to a few people, each time about something else."""
    delivery = _outside(case, case.harmless, "mail.supplier.example")
    for number, what in enumerate(("Offer", "Delivery date", "Meeting on Monday", "Drawings", "Thank you")):
        letter = _letter(case, number, _ORDERS, (case.users[number],), f"{what} {number}")
        deliver(scene, (0.02 + 0.15 * number) * case.span_seconds, delivery, [letter])


def _newsletter(scene: Scene, case: Case) -> None:
    """One text to many of the office, as newsletters declare themselves, and one reader follows its link."""
    bulk = (("List-Id", "<weekly.letters.example>"), ("List-Unsubscribe", f"<https://{NEWS_HOST}/unsubscribe>"))
    delivery = _outside(case, _NEWS_SERVER, "out.letters.example", "bounce-4711@letters.example")
    for number, user in enumerate(case.users[: case.bulk]):
        letter = _letter(case, number, _NEWS, (user,), "The week in purchasing")
        text = f"{letter.text}\r\nMore: http://{NEWS_HOST}/{number}\r\n"
        deliver(scene, 0.1 * case.span_seconds + number, delivery, [letter.told(text, bulk)])
    reader = f"{case.mail_server.rpartition('.')[0]}.{_PCS[5]}"
    scene.look_up(0.4 * case.span_seconds, reader, case.resolver, NEWS_HOST, _NEWS_SERVER)


def _mailing_list(scene: Scene, case: Case) -> None:
    """A member writes to a list outside, which sends it back to the other members with its author's name."""
    author, members = case.users[1], case.users[3:9]
    bulk = (("List-Id", "<announce.lists.example>"), ("List-Unsubscribe", "<mailto:leave@lists.example>"))
    delivery = _outside(case, _LIST_SERVER, "lists.example", _LIST)
    letter = _letter(case, 1, author, ("announce@lists.example",), "Minutes of the working group")
    letter = letter.told(letter.text, bulk)
    returned = [letter.addressed(member) for member in members]
    deliver(scene, 0.35 * case.span_seconds, delivery, returned)


def _invoices(scene: Scene, case: Case) -> None:
    """A shop sends each customer an invoice of its own, with a link to a portal that people know."""
    delivery = _outside(case, _SHOP_SERVER, "mail.shop.example")
    for number, user in enumerate(case.users[-case.bulk :]):
        letter = _letter(case, number, _BILLING, (user,), f"Invoice {4711 + number}")
        text = f"{letter.text}\r\nOrder {number * 17}: http://{SHOP_HOST}/orders/{number * 17}\r\n"
        letter = letter.told(text).with_attachment(f"invoice-{4711 + number}.pdf", b"%PDF-1.4 " + bytes([number]) * 900)
        deliver(scene, 0.12 * case.span_seconds + 11 * number, delivery, [letter])
    reader = f"{case.mail_server.rpartition('.')[0]}.{_PCS[6]}"
    scene.look_up(0.5 * case.span_seconds, reader, case.resolver, SHOP_HOST, _SITE_SERVER)


def _colleagues(scene: Scene, case: Case) -> None:
    """Mail among colleagues through the own server, and one mailbox that is read."""
    if case.tls:
        return
    delivery = Delivery(client=case.reader, server=case.mail_server, helo="reader", server_name=case.web_host)
    letters = [
        _letter(case, number, case.users[number], (case.users[number + 1],), f"Lunch {number}") for number in range(6)
    ]
    for number, letter in enumerate(letters):
        deliver(scene, (0.04 + 0.1 * number) * case.span_seconds, delivery, [letter])
    login = (case.users[1], "Winter-2025!")
    read_by_pop3(scene, 0.8 * case.span_seconds, (case.reader, case.mail_server), login, letters[:2])
