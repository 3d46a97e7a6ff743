"""The frame of the command line: finding commands, exit codes, quick help."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import pytest

from sensor.cli import CommandError, ExitCode, main


def spanwatch(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sensor.cli", *arguments], check=False, capture_output=True, text=True, timeout=30
    )


def ended_by(monkeypatch: pytest.MonkeyPatch, run: Callable[[argparse.Namespace], int]) -> int:
    """The exit code when a command ends like this."""

    class Module:
        @staticmethod
        def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
            commands.add_parser("check").set_defaults(run=run)

    monkeypatch.setattr(main, "import_module", lambda _name: Module)
    return main.main(["check"])


def test_help_names_every_command() -> None:
    shown = spanwatch("--help")
    assert shown.returncode == 0
    assert all(command.name in shown.stdout for command in main.COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    code = "import sys; from sensor.cli.main import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    imported = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stderr
    assert "sensor.cli.main" in imported
    for heavy in ("pydantic", "yaml", "rich", "pcap", "sensor.config", "sensor.cli.run", "_native"):
        assert f"'{heavy}'" not in imported


@pytest.mark.parametrize("command", main.COMMANDS, ids=lambda command: command.name)
def test_every_command_explains_itself_with_an_example(
    command: main._Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main([command.name, "--help"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"spanwatch {command.name}" in shown
    assert "example" in shown.lower()


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == "spanwatch 0.1.0\n"


@pytest.mark.parametrize("arguments", [[], ["nothing"], ["check", "--nothing"], ["config"]])
def test_a_wrong_line_is_a_usage_error(arguments: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(arguments) == ExitCode.USAGE
    assert "usage: spanwatch" in capsys.readouterr().err


def test_a_commands_code_is_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ended_by(monkeypatch, lambda _args: ExitCode.NO) == 1


def test_an_error_is_one_line_a_problem(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_args: argparse.Namespace) -> int:
        raise CommandError(ExitCode.SYSTEM, "eth9: no such interface\nmore")

    assert ended_by(monkeypatch, fail) == 71
    assert capsys.readouterr().err == "spanwatch: eth9: no such interface\nspanwatch: more\n"


def test_an_input_output_error_has_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_args: argparse.Namespace) -> int:
        raise FileNotFoundError(2, "No such file or directory", "x.pcap")

    assert ended_by(monkeypatch, fail) == 74
    assert "x.pcap" in capsys.readouterr().err


def test_ctrl_c_ends_without_a_traceback(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_args: argparse.Namespace) -> int:
        raise KeyboardInterrupt

    assert ended_by(monkeypatch, interrupted) == 130
    assert capsys.readouterr().err == ""


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = subprocess.run(
        [sys.executable, "-m", "sensor.cli", "config", "reference"],
        check=False,
        stdout=write_end,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (ExitCode.PIPE_CLOSED, "")


def test_a_full_disk_behind_the_output_is_said() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "sensor.cli", "config", "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    told = "spanwatch: cannot write standard output: No space left on device\n"
    assert (ended.returncode, ended.stderr) == (ExitCode.INPUT_OUTPUT, told)


def test_the_module_of_every_command_registers_it() -> None:
    for command in main.COMMANDS:
        parser = argparse.ArgumentParser()
        commands = parser.add_subparsers()
        import_module(command.module).register(commands)
        assert command.name in commands.choices
