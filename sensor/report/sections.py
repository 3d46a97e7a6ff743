"""What the page and the terminal show of each section: its title, its question, and its columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sensor.alerts.text import size

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, its text in a row, whether it is a number, and the files that it leads to."""

    title: str
    text: Callable[[Row], str]
    number: bool = False
    files: Callable[[Row], Sequence[str]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class Section:
    """One section; `marks` says why a row stands out, with an empty text if it does not."""

    key: str
    title: str
    columns: tuple[Column, ...]
    marks: Callable[[Row], str] = lambda _: ""
    nothing: str = "nothing found"


_MOST_SHOWN = 6


def listed(values: Any) -> str:  # noqa: ANN401  # lists of texts out of JSON
    """Give the first of a list's texts, and how many there are more."""
    shown = ", ".join(str(value) for value in values[:_MOST_SHOWN])
    more = len(values) - _MOST_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def moment(stamp: str | None) -> str:
    """Give a time of the report to the second, as people read it."""
    return f"{stamp[:19].replace('T', ' ')} UTC" if stamp else ""


def _time(title: str, key: str) -> Column:
    return Column(title, lambda row: moment(row.get(key)))


def _column(title: str, key: str) -> Column:
    def text(row: Row) -> str:
        value = row.get(key)
        return "" if value is None else listed(value) if isinstance(value, list) else str(value)

    return Column(title, text)


def _number(title: str, key: str) -> Column:
    def text(row: Row) -> str:
        value = row[key]
        return f"{len(value) if isinstance(value, list) else value:,}"

    return Column(title, text, number=True)


def _size(title: str, key: str) -> Column:
    return Column(title, lambda row: size(row[key]), number=True)


def _sender_marks(row: Row) -> str:
    return ", ".join(word for word in ("outlier", "spoofed") if row[word])


def _success(row: Row) -> str:
    return {True: "got in", False: "refused", None: "answer unseen"}[row["success"]]


SECTIONS: tuple[Section, ...] = (
    Section(
        "senders",
        "Who sent as whom",
        (
            _column("sender", "address"),
            _number("mails", "messages"),
            Column("recipients", lambda row: f"{row['recipients']:,}", number=True),
            _column("from addresses", "sources"),
            _column("envelope", "envelopes"),
        ),
        _sender_marks,
    ),
    Section(
        "mail_sources",
        "From which addresses",
        (
            _column("address", "ip"),
            _number("mails", "messages"),
            _column("senders", "senders"),
            _column("subjects", "subjects"),
        ),
    ),
    Section(
        "urls",
        "Which links in which mails",
        (
            _column("link", "url"),
            _column("shown as", "shown"),
            _number("mails", "messages"),
            _column("senders", "senders"),
            _column("followed by", "clicked_by"),
        ),
        lambda row: "followed" if row["clicked_by"] else "",
    ),
    Section(
        "deliveries",
        "What was delivered to whom, and who clicked",
        (
            _column("sender", "sender"),
            _column("subject", "subject"),
            _number("recipients", "recipients"),
            _number("delivered", "delivered"),
            _number("refused", "refused"),
            _column("delivered to", "delivered"),
            _column("links", "urls"),
            _column("followed by", "clicked_by"),
            _column("text", "excerpt"),
            Column("messages", lambda row: f"{len(row['eml']):,}", files=lambda row: row["eml"]),
        ),
        lambda row: "phishing" if row["phishing"] else "",
    ),
    Section(
        "attacks",
        "Which servers were attacked, how, by whom, with what success",
        (
            _column("server", "server"),
            _column("host", "host"),
            _column("path", "path"),
            _column("parameter", "parameter"),
            _column("by", "source"),
            _column("attack", "category"),
            _column("weakness", "weakness"),
            _number("requests", "requests"),
            _number("succeeded", "succeeded"),
            _time("first success", "first_success"),
            _column("examples", "examples"),
        ),
        lambda row: "succeeded" if row["succeeded"] else "",
    ),
    Section(
        "attackers", "All that each attacker did, in order", (_column("source", "source"), _column("why", "reason"))
    ),
    Section(
        "accounts",
        "Which accounts logged in from where",
        (
            _column("protocol", "protocol"),
            _column("account", "user"),
            _column("from", "source"),
            _column("server", "server"),
            _number("attempts", "attempts"),
            Column("outcome", _success),
        ),
        lambda row: "guessed" if row["success"] and row["attempts"] > 1 else "",
    ),
    Section(
        "alerts",
        "Alerts",
        (
            _column("severity", "severity"),
            _column("rule", "rule"),
            _column("host", "host"),
            _column("about", "indicator"),
            _time("opened", "opened"),
            _time("last seen", "last_seen"),
            _column("incident", "id"),
        ),
        lambda row: "high" if row["severity"] == "high" else "",
        "no alerts",
    ),
    Section(
        "protocols",
        "Protocols",
        (
            _column("transport", "proto"),
            Column("protocol", lambda row: row["app_proto"] or "not recognised"),
            _number("flows", "flows"),
            _number("packets", "packets"),
            _size("bytes", "bytes"),
        ),
    ),
    Section(
        "conversations",
        "Top conversations",
        (
            _column("from", "source"),
            _column("to", "destination"),
            _column("transport", "proto"),
            _column("port", "port"),
            _column("protocol", "app_proto"),
            _number("flows", "flows"),
            _number("packets", "packets"),
            _size("to server", "bytes_toserver"),
            _size("to client", "bytes_toclient"),
        ),
    ),
    Section(
        "hosts",
        "Hosts",
        (
            _column("host", "ip"),
            _column("name", "name"),
            _column("MAC", "mac"),
            _column("vendor", "vendor"),
            _number("flows", "flows"),
            _size("sent", "bytes_out"),
            _size("received", "bytes_in"),
            _time("first seen", "first_seen"),
            _time("last seen", "last_seen"),
        ),
    ),
    Section(
        "not_understood",
        "What was not understood",
        (_column("what", "what"), _column("layer", "layer"), _column("reason", "reason"), _number("times", "count")),
        nothing="everything was understood",
    ),
)
