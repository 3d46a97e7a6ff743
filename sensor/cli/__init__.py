"""The command line: one module a command."""

from enum import IntEnum


class ExitCode(IntEnum):
    """What a command's end means (sysexits.h where a number is its)."""

    OK = 0
    NO = 1
    USAGE = 2
    SYSTEM = 71
    INPUT_OUTPUT = 74
    CONFIGURATION = 78
    INTERRUPTED = 130
    PIPE_CLOSED = 141


class CommandError(Exception):
    """Ends a command with an exit code and one line that says why and what to do next."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def describe(error: OSError) -> str:
    """Give the text of an error without its number."""
    text = error.strerror or str(error)
    return f"{error.filename}: {text}" if error.filename else text
