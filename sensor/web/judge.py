"""Web attacks and guessed passwords as judgements for the alert policy: who did what to which server, and how it ended.

Time is the rows'. What is remembered is bounded: the incidents that were longest quiet are forgotten first.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import chain

from sensor.alerts.rows import FlowReference, JudgedRow
from sensor.alerts.rules import BY_NAME, Severity
from sensor.alerts.text import clock, counted, escape, size
from sensor.config.detection import Web
from sensor.engine import Batch
from sensor.identity.table import Machine
from sensor.mail.rows import FlowColumns
from sensor.web.guessing import Guesses, GuessWatch
from sensor.web.injection import Injections
from sensor.web.rows import WebRow

_MOST_ATTACKS = 10_000
_MOST_PLACES = 5
_LATE_SECONDS = 1.0
_FORGET_AFTER_NS = 3600 * 1_000_000_000

Who = Callable[[str, int], Machine | None]


@dataclass(slots=True)
class _Attack:
    """What one source did to one server in one way, since it was last quiet for an hour."""

    last_ns: int
    requests: int = 0
    succeeded: int = 0
    first_success_ns: int = 0
    places: list[str] = field(default_factory=list)
    more_places: bool = False

    def add(self, row: WebRow) -> None:
        self.last_ns = row["time_ns"]
        self.requests += row["count"]
        if row["succeeded"]:
            self.succeeded += row["count"]
            self.first_success_ns = self.first_success_ns or row["time_ns"]
        place = place_of(row)
        if place in self.places:
            return
        if len(self.places) < _MOST_PLACES:
            self.places.append(place)
        else:
            self.more_places = True

    def text(self) -> str:
        outcome = "tried"
        if self.succeeded:
            outcome = f"{self.succeeded:,} succeeded, first {clock(self.first_success_ns)}"
        places = ", ".join(map(escape, self.places)) + (", …" if self.more_places else "")
        return f"{counted(self.requests, 'request')}, {outcome}, at {places}"


def place_of(row: WebRow) -> str:
    """Name where a request was aimed: `shop.example/item.php id`."""
    where = (row["host"] or row["dest_ip"]) + row["path"]
    return f"{where} {row['parameter']}" if row["parameter"] else where


class WebJudge:
    """Turns web findings and logins of a batch into judgements. Deterministic: nothing but rows comes in."""

    def __init__(self, config: Web, who: Who) -> None:
        """`who` says which machine had an address at a time."""
        self._who = who
        self._attacks: OrderedDict[tuple[str, str, str], _Attack] = OrderedDict()
        self._injections = Injections()
        self._guesses = GuessWatch(config.login_failures)

    def take(self, batch: Batch) -> Batch:
        """Give the batch with what was judged of it; findings that earlier ones prove have succeeded."""
        if not (batch.web or batch.logins):
            return batch
        rows = list(map(self._settled, batch.web))
        attacks = map(self._judge_attack, rows)
        return replace(batch, web=rows, judged=[*batch.judged, *chain(attacks, self._judge_logins(batch))])

    def _settled(self, row: WebRow) -> WebRow:
        self._injections.learn(row)
        proof = self._injections.proof(row)
        return {**row, "succeeded": True, "evidence": proof} if proof else row

    def _judge_attack(self, row: WebRow) -> JudgedRow:
        key = (row["category"], row["dest_ip"], row["src_ip"])
        attack = self._attacks.get(key)
        if attack is None or row["time_ns"] - attack.last_ns >= _FORGET_AFTER_NS:
            attack = self._attacks[key] = _Attack(row["time_ns"])
            if len(self._attacks) > _MOST_ATTACKS:
                self._attacks.popitem(last=False)
        self._attacks.move_to_end(key)
        attack.add(row)
        judged = self._judged(row, row["category"], attack_severity(row), "http")
        judged["count"] = row["count"]
        judged["text"] = attack.text() if row["category"] != "web.scanner" else _scan_text(row, attack)
        judged["notes"] = [self._source(row), *_details(row)]
        judged["context"] = {"http": _http(row), "web": _web(row)}
        return judged

    def _judge_logins(self, batch: Batch) -> Iterator[JudgedRow]:
        for row in batch.logins:
            guesses = self._guesses.take(row)
            if guesses is None:
                continue
            rule = "web.bruteforce" if row["protocol"] == "http" else "mail.bruteforce"
            severity = Severity.HIGH if guesses.succeeded else BY_NAME[rule].severity
            judged = self._judged(row, rule, severity, row["protocol"])
            judged["text"] = _guess_text(guesses)
            judged["notes"] = [self._source(row), f"{row['protocol']} {escape(row['mechanism'])}"]
            judged["context"] = {"login": _login(row["user"], row["success"], guesses)}
            yield judged

    def _judged(self, row: FlowColumns, rule: str, severity: Severity, app_proto: str) -> JudgedRow:
        server_is_host = row["dest_internal"] or not row["src_internal"]
        host, remote = (row["dest_ip"], row["src_ip"]) if server_is_host else (row["src_ip"], row["dest_ip"])
        flow: FlowReference = {
            "flow_id": row["flow_id"],
            "community_id": row["community_id"],
            "start_ns": row["start_ns"],
            "frame": row["frame"],
            "src_ip": row["src_ip"],
            "src_port": row["src_port"],
            "dest_ip": row["dest_ip"],
            "dest_port": row["dest_port"],
            "proto": "TCP",
            "app_proto": app_proto,
        }
        return {
            "time_ns": row["time_ns"],
            "rule": rule,
            "severity": severity,
            "host": host,
            "remote": remote,
            "subject": remote,
            "count": 1,
            "text": "",
            "notes": [],
            "mac": row["dest_mac"] if server_is_host else row["src_mac"],
            "vlan": row["vlan"],
            "in_iface": row["in_iface"],
            "flow": flow,
            "context": {},
        }

    def _source(self, row: FlowColumns) -> str:
        """Say who asked; an internal source with its machine's name."""
        machine = self._who(row["src_ip"], row["time_ns"]) if row["src_internal"] else None
        name = machine["name"] if machine else None
        return f"from {row['src_ip']} ({escape(name)})" if name else f"from {row['src_ip']}"


def attack_severity(row: WebRow) -> Severity:
    """Give how urgent a finding is: what has succeeded is high; what was only tried at most medium."""
    if row["succeeded"]:
        return Severity.HIGH
    return max(Severity.MEDIUM, Severity(row["severity"]), _usual(row["category"]))


def _usual(category: str) -> Severity:
    return BY_NAME[category].severity


def _scan_text(row: WebRow, attack: _Attack) -> str:
    return escape(row["excerpt"]) if row["place"] == "path" else attack.text()


def _details(row: WebRow) -> list[str]:
    where = row["place"] if row["place"] == "path" else f"{row['place']} {escape(row['parameter'])}".rstrip()
    details = [f"{escape(row['weakness'])} in {where}"]
    if row["excerpt"] and row["category"] != "web.scanner":
        details.append(escape(row["excerpt"]))
    if row["status"]:
        delay = row["delay_seconds"] or 0.0
        late = f", after {delay:.1f} s" if delay >= _LATE_SECONDS else ""
        details.append(f"answered {row['status']}, {size(row['length'])}{late}")
    if row["evidence"]:
        details.append(escape(row["evidence"]))
    return details


def _http(row: WebRow) -> dict[str, object]:
    known = {
        "hostname": row["host"],
        "url": row["path"],
        "http_user_agent": row["user_agent"],
        "http_method": row["method"],
        "status": row["status"],
    }
    return {**{key: value for key, value in known.items() if value}, "length": row["length"]}


def _web(row: WebRow) -> dict[str, object]:
    columns = ("rule", "weakness", "place", "parameter", "excerpt", "evidence", "succeeded")
    return {column: row[column] for column in columns}  # type: ignore[literal-required]


def _guess_text(guesses: Guesses) -> str:
    users = f"{counted(guesses.users, 'user name')}"
    text = f"{counted(guesses.failures, 'failed login')} in 10m with {users}"
    return f"{text}, then {escape(guesses.succeeded)} logged in" if guesses.succeeded else text


def _login(user: str, success: bool | None, guesses: Guesses) -> dict[str, object]:
    return {"user": user, "success": success, "failures": guesses.failures, "users": guesses.users}
