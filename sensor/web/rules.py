"""Rules of web attacks: the sensor's own and the user's, read from YAML and checked with file, line and reason."""

import glob
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from sensor.config.errors import ConfigError, Problem, dotted
from sensor.config.fields import Many
from sensor.config.section import Section
from sensor.config.tree import KeyPath, Limits, Tree, read_tree

if TYPE_CHECKING:
    from sensor._native import WebRules

OWN_RULES = Path(__file__).with_name("rules.yaml")
"""The rules that come with the sensor."""

_LIMITS = Limits(largest_bytes=4 << 20, most_nodes=100_000)

Category = Literal["web.sqli", "web.xss", "web.traversal", "web.command-injection", "web.webshell", "web.scanner"]
Place = Literal["path", "query", "header", "cookie", "body", "upload-name", "upload-content", "response"]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class WebRule(Section):
    """One rule. `words`: a match has one of them in it, so that the pattern is tried only where one is.

    `score` is what a match is worth, 5 in one request are a finding. In answers `proves` says whether it has succeeded,
    and `also` of which other categories it speaks. `attack` and `benign` are the rule's own samples.
    """

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")]
    category: Category
    weakness: _Text
    where: Annotated[Many[Place], Field(min_length=1)]
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=8000)]
    words: Many[_Text] = ()
    score: Annotated[int, Field(ge=1, le=5)] = 5
    severity: Annotated[int, Field(ge=1, le=4)] = 1
    proves: bool = True
    also: Many[Category] = ()
    attack: Many[str] = ()
    benign: Many[str] = ()

    def settings(self) -> dict[str, Any]:
        """Give what the core wants of it."""
        return self.model_dump(mode="json", exclude={"attack", "benign"})


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a rule stands."""

    path: Path
    tree: Tree
    index: int

    def problem(self, key: KeyPath, reason: str) -> Problem:
        full = (self.index, *key)
        return Problem(str(self.path), self.tree.place(full), dotted(full), reason)


def load_rules(files: Sequence[Path] = ()) -> list[WebRule]:
    """Read the sensor's own rules and those of these files or globs, which are compiled once to see that they can be.

    Raises ConfigError with every problem.
    """
    problems: list[Problem] = []
    rules: list[tuple[WebRule, _Source]] = []
    for path in (OWN_RULES, *_found(files)):
        for found in _read(path):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                rules.append(found)
    problems += _named_twice(rules)
    # What comes with the sensor is known to compile; the engine does it once more.
    if files and not problems:
        problems += _refused_by_core(rules)
    if problems:
        raise ConfigError(problems)
    return [rule for rule, _ in rules]


def compiled_rules(files: Sequence[Path]) -> "WebRules":
    """Read rules as `load_rules` does and compile them for an engine. Raises ConfigError with every problem."""
    from sensor._native import WebRules  # noqa: PLC0415  # late: commands that need no core start fast

    return WebRules.compile(as_json(load_rules(files)))


def as_json(rules: Iterable[WebRule]) -> str:
    """Write rules as the core reads them."""
    return json.dumps([rule.settings() for rule in rules])


def _found(files: Iterable[Path]) -> Iterator[Path]:
    for path in files:
        if glob.has_magic(str(path)):
            yield from map(Path, sorted(glob.glob(str(path))))  # noqa: PTH207  # Path.glob takes no absolute pattern
        else:
            yield path


def _read(path: Path) -> Iterator[Problem | tuple[WebRule, _Source]]:
    try:
        with path.open("rb") as file:
            tree = read_tree(file.read(_LIMITS.largest_bytes + 1), _LIMITS)
    except OSError as error:
        yield Problem(str(path), None, "", f"cannot be read: {error.strerror}")
        return
    yield from (Problem(str(path), place, dotted(key), reason) for place, key, reason in tree.refused)
    if not isinstance(tree.data, list):
        if tree.data is not None:
            yield Problem(str(path), tree.place(()), "", "must be a list of rules")
        return
    for index, entry in enumerate(tree.data):
        source = _Source(path, tree, index)
        try:
            yield _adapter().validate_python(entry), source
        except ValidationError as error:
            for item in error.errors():
                yield source.problem(tuple(item["loc"]), item["msg"])


@cache
def _adapter() -> TypeAdapter[WebRule]:
    return TypeAdapter(WebRule)


def _named_twice(rules: Sequence[tuple[WebRule, _Source]]) -> Iterator[Problem]:
    names: set[str] = set()
    for rule, source in rules:
        if rule.name in names:
            yield source.problem(("name",), f"another rule is called {rule.name}, too")
        names.add(rule.name)


def _refused_by_core(rules: Sequence[tuple[WebRule, _Source]]) -> Iterator[Problem]:
    from sensor._native import WebRules  # noqa: PLC0415  # late: commands that need no core start fast

    try:
        WebRules.compile(as_json(rule for rule, _ in rules))
    except ValueError as error:
        index, reason = error.args
        source = rules[min(index, len(rules) - 1)][1]
        yield source.problem(("pattern",), reason)
