"""What can be wrong with a configuration, and where."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a text, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake: where it stands, at which key, and why it is one.

    `origin` is the file, or the name of what else gave the value; `place` is None where there is no line.
    """

    origin: str
    place: Place | None
    key: str
    reason: str

    def __str__(self) -> str:
        """`file:line:column: key: reason`, without the parts that are not known."""
        where = f"{self.origin}:{self.place.line}:{self.place.column}" if self.place else self.origin
        return f"{where}: {self.key}: {self.reason}" if self.key else f"{where}: {self.reason}"


class ConfigError(ValueError):
    """A configuration that cannot be used; carries every problem that was found, in the file's order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def dotted(path: Iterable[str | int]) -> str:
    """Write a path of keys and indexes as people do: `watchlists[0].path`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")
