"""YAML to plain data with places, and without YAML's surprises."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sensor.config.errors import Place
from sensor.config.tree import LARGEST_FILE_BYTES, Tree, read_tree

PYTHON = "tag:yaml.org,2002:python/object:os.system"


def reasons(text: str) -> list[str]:
    return [f"{place.line}:{place.column} {reason}" for place, _, reason in read_tree(text.encode()).refused]


def test_data_and_places() -> None:
    tree = read_tree(b"# first\nsensor: {name: hq}\ncapture:\n  interfaces:\n  - eth1\n  - name: eth2\n")
    assert tree.data == {"sensor": {"name": "hq"}, "capture": {"interfaces": ["eth1", {"name": "eth2"}]}}
    assert tree.place(("sensor", "name")) == Place(2, 16)
    assert tree.place(("sensor", "name"), of_key=True) == Place(2, 10)
    assert tree.place(("capture", "interfaces", 1, "name")) == Place(6, 11)


def test_a_missing_part_has_the_place_of_what_is_around_it() -> None:
    tree = read_tree(b"capture:\n  snaplen: 96\n")
    assert tree.place(("capture", "interfaces", 3)) == Place(2, 3)
    assert tree.place(("metrics",)) == Place(1, 1)
    assert Tree().place(("metrics",)) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("N", "N"),
        ("true", True),
        ("False", False),
        ("2026-11-22", "2026-11-22"),
        ("2026-11-22T07:46:05Z", "2026-11-22T07:46:05Z"),
        ("~", None),
        ("", None),
        ("null", None),
        ("0", 0),
        ("-7", -7),
        ("262144", 262144),
        ("0.3", 0.3),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("fc00::/7", "fc00::/7"),
        ("127.0.0.1:9669", "127.0.0.1:9669"),
        ("00:1b:44:11:3a:b7", "00:1b:44:11:3a:b7"),
        ("'010'", "010"),
        ('"12:30"', "12:30"),
        ("'yes'", "yes"),
        ("=", "="),
        ("5m", "5m"),
    ],
)
def test_a_word_is_read_as_it_is_meant(text: str, value: object) -> None:
    tree = read_tree(f"key: {text}\n".encode())
    assert (tree.data, tree.refused) == ({"key": value}, [])


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("010", "octal"),
        ("-007", "octal"),
        ("1_000", "without underscores"),
        ("0x1F", "in decimal"),
        ("0b11", "in decimal"),
        ("0o17", "in decimal"),
        ("12:30:45", "12h30m45s"),
        ("1:30", "base 60"),
        ("1:2:3:4:5:6:7:8", "base 60"),
        ("1e3", "exponent"),
        ("6.02e23", "exponent"),
        (".inf", "0.5 or 2"),
        (".NaN", "0.5 or 2"),
        (".5", "0.5 or 2"),
        ("5.", "0.5 or 2"),
        ("123456789012345678901234567890", "too large"),
    ],
)
def test_what_readers_disagree_about_is_refused_with_what_to_write(text: str, advice: str) -> None:
    (line,) = reasons(f"a: 1\nkey: {text}\n")
    assert line.startswith(f'2:6 "{text}": ')
    assert advice in line
    assert "quotes if it is text" in line


def test_every_number_that_yaml_1_1_sees_is_a_number_here_or_refused() -> None:
    for text in (
        "0",
        "010",
        "0x1F",
        "0b1",
        "1_0",
        "1:30",
        "1:30.5",
        "1.5",
        "1e3",
        "1.5e+3",
        ".5",
        "+12",
        "685_230.15",
        "190:20:30",
    ):
        if not isinstance(yaml.safe_load(text), str):
            tree = read_tree(f"k: {text}".encode())
            assert tree.refused or isinstance(tree.data["k"], int | float)  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "3:1 already given in line 1"),
        ("a: {b: 1, b: 2}\n", "1:11 already given in line 1"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "3:3 merge keys are not read; write the content out"),
        ("a: !!python/object:os.system x\n", f"1:4 the tag {PYTHON} has no meaning here; remove it"),
        ("a: !!str 010\n", "1:4 the tag tag:yaml.org,2002:str has no meaning here; remove it"),
        ("a: 1\n\tb: 2\n", "2:1 not YAML: indent with spaces, not with tabs"),
        ("a: @x\n", "1:4 not YAML: a word cannot begin with @; put it in quotes"),
        ("a: b: c\n", "1:5 not YAML: mapping values are not allowed in this context"),
        ("? [1, 2]\n: 3\n", "1:3 a key must be a word"),
        ("a: \x07\n", "1:4 the character U+0007 is not allowed in YAML"),
        ("a: 1\n--- \nb: 2\n", "2:1 not YAML: but found another document expected a single document in the stream"),
    ],
)
def test_a_mistake_has_its_place(text: str, line: str) -> None:
    assert reasons(text) == [line]


def test_text_that_is_not_utf_8_has_its_place() -> None:
    tree = read_tree(b"a: 1\nb: caf\xe9\n")
    assert tree.refused == [(Place(2, 7), (), "the text is not UTF-8")]


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert read_tree("\ufeffa: 1\n".encode()).data == {"a": 1}


def test_all_mistakes_are_found_at_once() -> None:
    assert len(reasons("a: 010\nb: 1_0\nc: 1\nc: 2\n")) == 3


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n"])
def test_an_empty_document_is_none(text: str) -> None:
    tree = read_tree(text.encode())
    assert (tree.data, tree.refused) == (None, [])


def test_anchors_may_be_used_with_measure() -> None:
    tree = read_tree(b"a: &x [1, 2]\nb: *x\n")
    assert (tree.data, tree.refused) == ({"a": [1, 2], "b": [1, 2]}, [])


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x, x, x, x, x, x, x, x]\n"
        + "".join(
            f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]\n"
            for last, name in zip("abcdefgh", "bcdefghi", strict=True)
        ),
        "a: &a [*a]\n",
        "[" * 300_000,
        "[" * 10_000 + "]" * 10_000,
        "{a: " * 5_000,
        "- x\n" * 60_000,
        "# " + "x" * LARGEST_FILE_BYTES,
    ],
    ids=["billion laughs", "anchor in itself", "deep and open", "deep", "deep maps", "long", "large"],
)
def test_a_bomb_is_refused(text: str) -> None:
    assert len(reasons(text)) == 1


@given(st.binary(max_size=200))
def test_any_bytes_give_data_or_a_reason(text: bytes) -> None:
    read_tree(text)


@given(st.text(alphabet="ab:-[]{}&*!<>?|'\"#,% \n\t0189._\\", max_size=80))
def test_any_yaml_like_text_gives_data_or_a_reason(text: str) -> None:
    tree = read_tree(text.encode())
    assert all(place.line >= 1 and place.column >= 1 and reason for place, _, reason in tree.refused)
