"""Web applications, open to SQL injection or not, and what is found in the requests of whoever tries them.

An application answers a value of `id` with a status, a body and how many seconds that takes.
"""

import random
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from sensor._native import WebRules
from sensor.web.rows import WebRow
from sensor.web.statement import condition_of, wait_seconds
from tests.unit.samples import SECOND, START
from tests.unit.web.test_judge import web

Application = Callable[[str], tuple[int, bytes, float]]

_WORDS = (
    "price",
    "stock",
    "order",
    "red",
    "blue",
    "shoe",
    "table",
    "lamp",
    "paper",
    "green",
    "small",
    "large",
    "cheap",
)


def statements(chance: random.Random) -> Iterator[str]:
    """Give what people and sqlmap try, for one context of the value: conditions, then waits."""
    quoted = chance.choice(("", "'", '"'))
    closing, end = chance.choice(("", ")")), chance.choice(("", "-- -", "#", "-- qzvx"))
    joined = chance.choice(("and", "AND", "or"))
    letters, length = chance.choice(("abcdefgh", "123456789")) if quoted else "123456789", chance.randrange(1, 5)
    for number in range(chance.randrange(4, 12)):
        one = "".join(chance.choices(letters, k=length))
        other = one if number % 2 == 0 else one[:-1] + chance.choice(letters.replace(one[-1], ""))
        sides = f"{quoted}{one}{quoted}={quoted}{other}"
        tail = f"{quoted} {end}" if quoted and end else end
        yield f"1{quoted}{closing} {joined} {'(' if closing and not end else ''}{sides}{tail}"
    for seconds in chance.sample(range(2, 11), 3):
        yield chance.choice(
            (
                f"1{quoted} and sleep({seconds})-- -",
                f"1{quoted} AND (SELECT 1 FROM (SELECT(SLEEP({seconds})))x)-- -",
                f"1{quoted};select pg_sleep({seconds})--",
                f"1{quoted};waitfor delay '0:0:{seconds}'--",
                f"1{quoted} and 1=dbms_pipe.receive_message('a',{seconds})-- -",
            )
        )


def attack(core: WebRules, application: Application, tried: list[str]) -> list[WebRow]:
    """Give the findings of these statements, a minute apart, after an ordinary request."""
    usual = application("1")[2]
    rows = []
    for number, statement in enumerate(tried):
        status, body, delay = application(statement)
        request = f"GET /item?id={quote(statement)} HTTP/1.1\r\nHost: h\r\n\r\n".encode()
        head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        for category, rule, place, parameter, excerpt, evidence, succeeded in core.inspect(request, head + body):
            columns: dict[str, Any] = {
                "category": category, "rule": rule, "place": place, "parameter": parameter, "excerpt": excerpt,
                "evidence": evidence, "succeeded": succeeded, "status": status, "length": len(body),
                "page_bytes": len(body),
                "delay_seconds": delay, "usual_seconds": usual,
            }  # fmt: skip
            rows.append(web(START + number * 60 * SECOND, **columns))
    return rows


def open_to_conditions(chance: random.Random) -> Application:
    """An application that shows an article where the condition is true, and says that there is none where it is not."""
    article, none = _text(chance, 60), _text(chance, chance.randrange(3, 9))
    page = _page(chance)
    return lambda value: (200, page(value, none if _is_false(value) else article), _delay(chance))


def open_to_waits(chance: random.Random) -> Application:
    """An application that shows the same whatever the database says, once that has answered."""
    page, text = _page(chance), _text(chance, 60)
    return lambda value: (200, page(value, text), _delay(chance) + wait_seconds(value.lower()))


def closed(chance: random.Random) -> Iterator[tuple[str, Application]]:
    """Give applications that no statement reaches the database of, by what they are."""
    text, page = _text(chance, 60), _page(chance)
    texts = [_text(chance, length) for length in (40, 50)]
    blocked = chance.choice((403, 406, 200))
    slow = chance.uniform(2, 12)
    yield "constant", lambda _: (200, text.encode(), _delay(chance))
    yield "repeats", lambda value: (200, page(value, text), _delay(chance))
    yield "repeats twice", lambda value: (200, page(value + value, text), _delay(chance))
    yield "searches", lambda value: (200, page(value, _found(value)), _delay(chance))
    yield "advertises", lambda value: (200, page(value, _text(chance, 40)), _delay(chance))
    yield "alternates", lambda value: (200, page(value, chance.choice(texts)), _delay(chance))
    yield "filters", lambda _: (blocked, b"blocked", _delay(chance))
    yield "is slow", lambda value: (200, page(value, text), slow + _delay(chance))
    yield "is slow at times", lambda value: (200, page(value, text), _delay(chance) + chance.choice((0, 0, 0, 8)))
    yield "delays attacks", lambda value: (200, page(value, text), _delay(chance) + (10 if " " in value else 0))


def _is_false(value: str) -> bool:
    condition = condition_of(f"id={value.lower()}")
    return condition is not None and not condition.truth


def _page(chance: random.Random) -> Callable[[str, str], bytes]:
    repeats, coded = (chance.random() < 0.5 for _ in range(2))

    def page(value: str, text: str) -> bytes:
        shown = quote(value) if coded else value.replace("'", "&#39;").replace("<", "&lt;")
        return f"<html><h1>{shown if repeats else 'item'}</h1><p>{text}</p></html>".encode()

    return page


def _found(value: str) -> str:
    """What a search for the words of a value finds: about as many results as its letters come to."""
    return " ".join(_WORDS[: sum(map(ord, re.sub(r"\W", "", value))) % len(_WORDS)])


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(_WORDS, k=words))


def _delay(chance: random.Random) -> float:
    return min(chance.expovariate(10), 0.8)
