"""Tables and JSON lines, harmless whatever is in them."""

import io
import json
import re
import sys

import pytest

from sensor.cli.output import print_json, print_table, printable

HOSTILE = "a\x1b[31m\nb\u202e[bold]c"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (5, "5"), ("PC-0417", "PC-0417"), (HOSTILE, "a\\x1b[31m\\x0ab\\u202e[bold]c")]
)
def test_nothing_from_outside_steers_a_terminal(value: object, text: str) -> None:
    assert printable(value) == text


def test_a_table_is_plain_and_whole_when_it_goes_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "value"), [("a", 1), ("x" * 200, None), (HOSTILE, "")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["name", "value"]
    assert lines[1] == "a" + " " * 201 + "1"
    assert lines[2] == "x" * 200 + "  -"
    assert lines[3] == printable(HOSTILE)


def test_a_table_without_rows_is_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "value"), [])
    assert capsys.readouterr().out == "name  value\n"


def test_on_a_terminal_markup_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_table(("name",), [("[bold]a[/bold]",), ("b" * 100,)])
    lines = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).splitlines()
    assert "[bold]a[/bold]" in lines[1]
    assert max(map(len, lines)) <= 60
    assert sum(line.count("b") for line in lines[2:]) == 100, "what does not fit is folded, not lost"


def test_json_is_one_object_a_line_in_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    print_json([{"a": HOSTILE}, {"a": None}])
    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [{"a": HOSTILE}, {"a": None}]
    assert all(line.isascii() and line.isprintable() for line in lines)
