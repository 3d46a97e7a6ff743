"""Ordinary requests, many of them with words and signs that attacks have, too: none may be taken for one."""

import base64
import json
import random
from collections.abc import Iterator
from urllib.parse import quote_plus

_TEXTS = (
    "select a plan from the list", "union of european football", "how to drop a table in word", "order by phone",
    "where is the exit or entrance", "insert coin and play", "update your profile and settings", "rock 'n' roll",
    "what's new", "it's 5 o'clock and I'm late", "O'Reilly and Sons", "men's & women's shoes", "R&D budget 2024",
    "AT&T vs T-Mobile", "a < b and c > d", "1 + 1 = 2", "x = y or z", "100% cotton", "50% off -- today only",
    "price > 100 and < 200", "C# or F#", "node.js; deno; bun", "cat and dog food", "ls command in linux",
    "python -m http.server", "what is /etc/hosts for", "../relative paths in html", "wait... what?", "user@example.com",
    "Dr. No (1962)", "sleep well", "ping pong table", "id card renewal", "how to kill a process", "echo chamber",
    "javascript: the good parts", "onload vs onclick", "alert fatigue", "script font download", "eval in php",
    "document cookie policy", "https://www.example.com/a?b=c&d=e", "{\"a\": 1}", "[1, 2, 3]",
    "<3 this song", "<b>bold</b>",
    "if (a || b) return;", "SELECT your seat; then pay", "Tom & Jerry; 20 episodes", "C:\\Users\\anna\\Documents",
    "\\\\server\\share", "ratio 3:2", "$100 or less", "${name}", "{{ user.name }}", "#hashtag", "caf\u00e9 cr\u00e8me",
    "\u4f60\u597d \u4e16\u754c", "\u043f\u0440\u0438\u0432\u0435\u0442",
    "2024-01-01 and 2024-12-31", "size 10 or 11",
    "24 and 25", "having fun",
    "group by the lake", "the union selects its leader", "'quoted' or \"quoted\"", "end;", "a--b", "/* css comment */",
    "color: #fff; margin: 0 auto", "background: url(data:image/png;base64,iVBORw0KGgo=)", "benchmark of ssd",
    "exec summary", "system requirements", "shell station near me", "cmd key on mac", "grep -r foo . | less",
    "I said \"no\" and left", "truth or dare = fun", "like and subscribe", "true or false?", "is it 'and' or 'or'",
)  # fmt: skip
_PATHS = (
    "/", "/index.html", "/search", "/a/../b.css", "/static/app.3f2a1b.js", "/api/v1/items",
    "/blog/2024/01/select-a-plan",
    "/images/cat.jpg", "/wp-content/themes/x/style.css", "/download/report..2024.pdf", "/index.php", "/shop/item.aspx",
    "/~user/etc/", "/docs/order-by", "/union/select.html", "/.well-known/acme-challenge/abc",
    "/login.jsp", "/wp-login.php",
)  # fmt: skip
_NAMES = (
    "q",
    "id",
    "page",
    "sort",
    "text",
    "return_to",
    "lang",
    "utm_source",
    "filter",
    "token",
    "cmd",
    "file",
    "name",
)
_AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36",
    "curl/8.5.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15",
)


def ordinary_requests(number: int, seed: int = 7) -> Iterator[bytes]:
    """Give requests as browsers and programs send them, the same in each run."""
    chance = random.Random(seed)  # traffic, no secret
    for index in range(number):
        make = (_page, _page, _form, _json_body)[index % 4]
        yield make(chance)


def _value(chance: random.Random) -> str:
    kind = chance.randrange(6)
    if kind < 3:
        return chance.choice(_TEXTS)
    if kind == 3:
        return str(chance.randrange(100_000))
    if kind == 4:
        return base64.b64encode(chance.randbytes(chance.randrange(6, 60))).decode()
    return f"{chance.choice(_TEXTS)} {chance.choice(_TEXTS)}"


def _query(chance: random.Random) -> str:
    pairs = [(chance.choice(_NAMES[:10]), _value(chance)) for _ in range(chance.randrange(4))]
    return "&".join(f"{name}={quote_plus(value)}" for name, value in pairs)


def _head(chance: random.Random, first: str, extra: str = "") -> bytes:
    token = base64.b64encode(chance.randbytes(24)).decode()
    lines = (
        f"{first} HTTP/1.1", "Host: www.example.com", f"User-Agent: {chance.choice(_AGENTS)}",
        f"Referer: https://www.example.com/search?q={quote_plus(_value(chance))}",
        f"Cookie: session={token}; theme=dark; consent={quote_plus(json.dumps({'a': True}))}", "Accept: */*",
    )  # fmt: skip
    return "\r\n".join((*lines, *filter(None, [extra]))).encode() + b"\r\n\r\n"


def _page(chance: random.Random) -> bytes:
    query = _query(chance)
    return _head(chance, f"GET {chance.choice(_PATHS)}{'?' if query else ''}{query}")


def _form(chance: random.Random) -> bytes:
    body = _query(chance).encode() or b"a=1"
    extra = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}"
    return _head(chance, f"POST {chance.choice(_PATHS)}", extra) + body


def _json_body(chance: random.Random) -> bytes:
    body = json.dumps({name: _value(chance) for name in chance.sample(_NAMES[:10], 3)}).encode()
    extra = f"Content-Type: application/json\r\nContent-Length: {len(body)}"
    return _head(chance, f"POST {chance.choice(_PATHS)}", extra) + body
