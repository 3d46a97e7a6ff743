"""The sensor's own list in YAML."""

import pytest

from sensor._native import Watchlists
from sensor.watchlist.own_yaml import COLUMNS, convert
from tests.unit.watchlist.converted import indicators, rows

SAMPLE = b"""# our own
indicators:
  - indicator: 203.0.113.9
    port: 443
    proto: tcp
    severity: high
    valid_until: 2027-12-31
    tags: [c2, may]
    comment: "notice of the provider, page 2"
  - {indicator: bad.example.com, type: suffix, action: allow}
  - 2001:db8::9
  - indicator: 203.0.113.10
    severety: 1
  - [203.0.113.11]
  - indicator: 203.0.113.12
    port: 0443
  - indicator: 203.0.113.13
    comment: {nested: value}
"""


def test_entries_are_read_and_refused_with_their_lines() -> None:
    conversion = convert(SAMPLE)
    assert rows(conversion) == [
        {
            "indicator": "203.0.113.9",
            "port": "443",
            "proto": "tcp",
            "severity": "high",
            "valid_until": "2027-12-31",
            "tags": "c2,may",
            "comment": "notice of the provider, page 2",
            "at": "3:5",
        },
        {"type": "suffix", "indicator": "bad.example.com", "action": "allow", "at": "10:5"},
        {"indicator": "2001:db8::9", "at": "11:5"},
    ]
    unknown, no_mapping, octal, nested = conversion.refused
    assert unknown == (12, 5, f'unknown key "severety"; the keys are {",".join(COLUMNS)}')
    assert no_mapping == (14, 5, "neither an indicator nor a mapping of its columns")
    assert octal[:2] == (16, 11)
    assert "leading zero" in octal[2]
    assert nested == (17, 5, "comment holds more than a value")


def test_no_value_can_break_out_of_its_row() -> None:
    (row,) = rows(convert(b'- {indicator: 203.0.113.9, type: "ip\\nx,y", comment: "\\e[31m"}\n'))
    assert row == {"indicator": "203.0.113.9", "type": "ip x,y", "comment": "\ufffd[31m", "at": "1:3"}


def test_a_list_alone_and_json_of_the_same_shape_are_read() -> None:
    assert indicators(convert(b"- 203.0.113.9\n- indicator: bad.example.com\n")) == [
        ("", "203.0.113.9"),
        ("", "bad.example.com"),
    ]
    assert indicators(convert(b'{"indicators": [{"indicator": "203.0.113.9", "port": 443}]}')) == [("", "203.0.113.9")]
    assert indicators(convert(b"[]")) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "neither a list nor a mapping with a list under `indicators`"),
        (b"indicators: 203.0.113.9\n", "neither a list nor a mapping with a list under `indicators`"),
        (b"- indicator: 203.0.113.9\n\tport: 1\n", "line 2, column 1: not YAML: indent with spaces"),
        (b"- indicator: 'x\n", "line [0-9], column [0-9]+: not YAML"),
        (b"- caf\xe9\n", "line 1, column 6: the text is not UTF-8"),
        (b"- " + b"[" * 50, "nested deeper than"),
        (b"- !!python/object/apply:os.system [id]\n", "line 1, column 3: the tag .* has no meaning here"),
        (b"- x\n" * 500_001, "more than 500000 nodes"),
    ],
)
def test_a_document_that_is_damaged_is_refused_as_a_whole(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        convert(text)


def test_a_list_may_be_longer_than_a_configuration() -> None:
    text = "".join(f"- indicator: n{number}.example\n  comment: a word\n" for number in range(15_000))
    assert len(indicators(convert(text.encode()))) == 15_000


def test_the_keys_are_the_columns_that_the_core_knows() -> None:
    """The core tells its columns where a header names another one."""
    (told,) = Watchlists.compile([("test", "csv", b"indicator,no_such_column\n", 1)]).lists
    ((_, _, reason),) = told["refused"]
    _, known = reason.split("; the columns are ")
    assert sorted(known.split(",")) == sorted(COLUMNS)
