from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.cli import ExitCode, top
from sensor.cli.main import main
from tests.unit.top.office import Office


def test_json_prints_a_sample_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(tmp_path / "s")
    printed: list[dict[str, object]] = []

    class EnoughError(Exception):
        pass

    def take(rows: list[dict[str, object]]) -> None:
        printed.extend(rows)
        if len(printed) == 2:
            raise EnoughError

    monkeypatch.setattr(top, "print_json", take)
    with office.open(), pytest.raises(EnoughError):
        main(["top", "--json", "--socket", str(office.path)])
    assert [len(row["flows"]) for row in printed] == [11, 11]  # type: ignore[arg-type]


def test_json_is_one_object_a_line_until_the_daemon_ends(tmp_path: Path) -> None:
    office = Office(tmp_path / "s")
    with office.open():
        command = [sys.executable, "-m", "sensor.cli", "top", "--json", "--socket", str(office.path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["mirror"]["verdict"] == "ok"
    _, err = process.communicate(timeout=20)
    assert process.returncode == ExitCode.SYSTEM
    assert err.startswith("spanwatch: ")


def test_without_a_terminal_or_a_daemon_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "none")
    assert main(["top", "--socket", path]) == ExitCode.USAGE
    assert "top needs a terminal; with --json it prints lines" in capsys.readouterr().err
    assert main(["top", "--json", "--socket", path]) == ExitCode.SYSTEM
    assert "no daemon answers at" in capsys.readouterr().err
    for stream in (sys.stdin, sys.stdout):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    assert main(["top", "--socket", path]) == ExitCode.SYSTEM
    assert "no daemon answers at" in capsys.readouterr().err


def test_only_the_screen_imports_textual() -> None:
    code = (
        "import sys; from sensor.cli.main import main, COMMANDS\n"
        "for command in COMMANDS: main([command.name, '--help'])\n"
        "print('textual' in sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stderr == "False\n"
