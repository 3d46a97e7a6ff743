from hypothesis import given
from hypothesis import strategies as st

from sensor.alerts.text import escape
from sensor.identity.names import LONGEST_NAME, clean_name, clean_text


def test_usual_names_stay_as_they_are() -> None:
    for name in ("PC-0417", "srv_1.corp", "Büro", "财务-07"):
        assert clean_name(name) == name
    assert clean_name(b"PC-0417   \0\0") == "PC-0417"
    assert clean_text(b"Gi1/0/24 (to core)") == "Gi1/0/24 (to core)"


def test_what_steers_a_terminal_or_turns_a_line_around_goes() -> None:
    assert clean_name(b"a\x1b]0;x\x07") == "a??0?x?"
    assert clean_name("a\u202eb\u05d0\u0661") == "a?b??"
    assert clean_name(b"a  b\\c)") == "a??b?c?"
    assert clean_name(b"\xff\xfe") == "??"


def test_nothing_is_no_name() -> None:
    assert [clean_name(raw) for raw in (b"", b" . ", b"\0PC")] == [None] * 3


@given(st.binary(max_size=300))
def test_any_bytes_give_one_short_harmless_piece(raw: bytes) -> None:
    for cleaned in (clean_name(raw), clean_text(raw)):
        if cleaned is not None:
            assert len(cleaned) <= LONGEST_NAME
            assert escape(cleaned) == cleaned
