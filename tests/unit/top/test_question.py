from __future__ import annotations

import pytest

from sensor.top.question import Choice, Question, arranged, question_of, split_filter
from sensor.top.views import ALERTS, CONNECTIONS, DEVICES, REMOTES, VIEWS, at
from tests.unit.samples import START, flow_row
from tests.unit.top.office import flows


@pytest.mark.parametrize(
    ("text", "terms", "words"),
    [
        ("", "", []),
        ("443 TCP", "443 tcp", []),
        ("10.20.0.0/16 vlan:30", "10.20.0.0/16 vlan:30", []),
        ("10.20.3.", "", ["10.20.3."]),
        ("2001:db8::1", "2001:db8::1", []),
        ("70000", "", ["70000"]),
        ("9" * 500, "", ["9" * 500]),
        ("tls example", "", ["tls", "example"]),
        ("udp video", "udp", ["video"]),
        ("vlan:99999", "", ["vlan:99999"]),
        ("\u0664\u0664\u0663", "", ["\u0664\u0664\u0663"]),
    ],
)
def test_terms_of_the_daemon_are_told_from_words(text: str, terms: str, words: list[str]) -> None:
    assert split_filter(text) == (terms, words)


def test_nothing_is_asked_where_the_samples_have_it_all() -> None:
    for view in VIEWS:
        if view is not ALERTS:
            assert question_of(view, Choice(view.sorted_by)) is None
    assert question_of(REMOTES, Choice(0, filter_text="443")) is None


def test_other_orders_and_filters_are_asked_for_with_a_limit() -> None:
    bytes_column = [column.title for column in CONNECTIONS.columns].index("bytes")
    assert question_of(CONNECTIONS, Choice(bytes_column)) == Question(
        "flows", (("filter", ""), ("order", "bytes"), ("limit", "100"))
    )
    assert question_of(CONNECTIONS, Choice(bytes_column, is_reversed=True)) is None
    assert question_of(DEVICES, Choice(0, filter_text="443 pc")) == Question(
        "hosts", (("filter", "443"), ("order", "rate"), ("limit", "1000"))
    )
    assert question_of(ALERTS, Choice(ALERTS.sorted_by)) == Question(
        "alerts", (("state", "all"), ("order", "last"), ("limit", "100"))
    )


def test_words_are_looked_for_in_what_is_shown_and_terms_only_where_nobody_did() -> None:
    rows = at(START, [{**row, "local": "orig"} for row in flows()])
    choice = Choice(CONNECTIONS.sorted_by, filter_text="443 EXAMPLE.com")
    names = {row["name"] for row in arranged(CONNECTIONS, choice, rows, asked=False)}
    assert names == {"download.example.com", "cdn.example.com"}
    assert len(arranged(CONNECTIONS, choice, rows, asked=True)) > len(names)


def test_rows_are_sorted_and_bounded() -> None:
    rows = at(START, [flow_row(local="orig", flow_id=n, orig_bytes_per_second=n) for n in range(300)])
    shown = arranged(CONNECTIONS, Choice(CONNECTIONS.sorted_by), rows, asked=False)
    assert [row["flow_id"] for row in shown] == list(range(299, 199, -1))
    shown = arranged(CONNECTIONS, Choice(CONNECTIONS.sorted_by, is_reversed=True), rows, asked=False)
    assert [row["flow_id"] for row in shown] == list(range(100))


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_every_table_begins_sorted_by_a_number(view: object) -> None:
    assert view.columns[view.sorted_by].number  # type: ignore[attr-defined]
