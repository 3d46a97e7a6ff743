"""JSON with the place of every part."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.watchlist.feed_json import END, as_entry, as_text, decode_line, text_of, walk
from sensor.watchlist.table import line_and_column


def parts(text: str | bytes, *entered: tuple[str, ...]) -> list[tuple[tuple[int, int], tuple[str, ...], object]]:
    data = text.encode() if isinstance(text, str) else text
    return [(line_and_column(part.place), part.path, part.value) for part in walk(data, lambda path: path in entered)]


def test_parts_have_their_places() -> None:
    text = '\ufeff{\n  "a": 1,\n  "list": [ {"x": true},\n [] ]\n}\n'
    assert parts(text, (), ("list",)) == [
        ((2, 8), ("a",), "1"),
        ((3, 13), ("list", "[]"), {"x": True}),
        ((4, 2), ("list", "[]"), []),
        ((3, 11), ("list",), END),
        ((1, 1), (), END),
    ]


def test_columns_are_told_in_one_long_line() -> None:
    text = json.dumps([{"n": number} for number in range(1000)])
    found = parts(text, ())
    assert [line for (line, _), _, _ in found] == [1] * 1001
    (_, column), _, value = found[500]
    assert text[column - 1 :].startswith('{"n": 500}')
    assert value == {"n": "500"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "line 1, column 1: not JSON: Expecting value"),
        ('[{"a": 1},\n{"b', "line 2, column 2: not JSON: Unterminated string"),
        ('[{"a": 1},\n', "line 2, column 1: not JSON: Expecting value"),
        ('[{"a": 1}', "line 1, column 10: not JSON: Expecting ',' delimiter"),
        ("[1,]", "line 1, column 4: not JSON: Illegal trailing comma"),
        ("[1] x", "line 1, column 5: not JSON: Extra data"),
        ("<html>", "line 1, column 1: not JSON"),
        ("[NaN]", "NaN is no number"),
        (b'["\n\xe9"]', "line 2, column 1: not UTF-8"),
        ("[[" + "[" * 100_000, "nested too deep"),
        ("{1: 2}", "line 1, column 2: not JSON: Expecting property name"),
        ('{"a" 2}', "line 1, column 6: not JSON: Expecting ':' delimiter"),
    ],
)
def test_damage_refuses_the_whole(text: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        parts(text, ())


def test_containers_are_entered_to_a_bound() -> None:
    nested = "[" * 100 + "]" * 100
    found = list(walk(nested.encode(), lambda _: True))
    assert max(len(part.path) for part in found) == 12


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=4)))
def test_nothing_is_lost(document: object) -> None:
    def rebuilt(value: object) -> object:
        (found,) = (part.value for part in walk(json.dumps(value, indent=1).encode(), lambda _: False))
        return found

    assert rebuilt(document) == document
    if isinstance(document, list):
        values = [part.value for part in walk(json.dumps(document).encode(), lambda path: path == ())]
        assert values == [*document, END]


def test_a_line_may_be_a_document() -> None:
    assert decode_line('{"a": 12345678901234567890}') == {"a": "12345678901234567890"}
    with pytest.raises(ValueError, match=r"not JSON at column 7: Unterminated string$"):
        decode_line('{"a": "')
    with pytest.raises(ValueError, match="nested too deep"):
        decode_line("[" * 60_000)


def test_values_as_text() -> None:
    assert [as_text(value) for value in ("a", ["a", None, "", "b"], None, True, {"a": "b"})] == ["a", "a,b", "", "", ""]
    assert text_of({"a": None, "b": "", "c": "x"}, "a", "b", "c") == "x"
    assert text_of({}, "a") == ""
    assert as_entry(["a"]) == {}
