"""From a file and the command line to a validated `Config`, or to every reason why not."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sensor.config.errors import ConfigError, Problem, dotted
from sensor.config.models import Config
from sensor.config.outline import all_keys, section_at
from sensor.config.tree import LARGEST_FILE_BYTES, KeyPath, Tree, read_tree

COMMAND_LINE = "command line"

_WRITE_INSTEAD = {
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "string_type": "write text, in quotes",
    "model_type": "write a group of keys here",
    "model_attributes_type": "write a group of keys here",
    "missing": "is missing",
}


def load(path: Path | None, overrides: Mapping[str, object] | None = None, *, live: bool = False) -> Config:
    """Read and validate a configuration.

    `path` None means the defaults. `overrides` are dotted keys (`capture.filter`) with values as YAML would give them;
    they replace what the file says. Relative paths are relative to the file's directory, unless an override gives them
    as Path objects. `live` demands what `run` needs: an interface.

    Raises ConfigError with all problems.
    """
    tree = read_tree(_read(path)) if path else Tree()
    origin = str(path) if path else "defaults"
    problems = [Problem(origin, place, dotted(key), reason) for place, key, reason in tree.refused]
    refused = {key for _, key, _ in tree.refused}
    if () in refused:
        raise ConfigError(problems)
    if tree.data is None:
        tree.data = {}
    data = _with_overrides(tree.data, overrides or {})
    config = None
    try:
        config = Config.model_validate(data, context={"base": path.parent.absolute() if path else Path()})
    except ValidationError as error:
        found = _Explainer(origin, tree, overrides or {})
        problems += [found.problem(item) for item in error.errors() if _steps(item) not in refused]
    if config and live and not config.capture.interfaces:
        reason = "names no interface; name one here or with -i, `spanwatch interfaces` lists them"
        problems.append(Problem(origin, tree.place(("capture", "interfaces")), "capture.interfaces", reason))
    if problems or config is None:
        raise ConfigError(sorted(problems, key=_file_order))
    return config


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        reason = f"cannot be read: {error.strerror}; name another file with -c"
        raise ConfigError([Problem(str(path), None, "", reason)]) from None


def _file_order(problem: Problem) -> tuple[int, int]:
    return (problem.place.line, problem.place.column) if problem.place else (0, 0)


def _with_overrides(data: object, overrides: Mapping[str, object]) -> object:
    """Lay overrides over the file's data; what has the wrong shape there is left for the validation to explain."""
    for key, value in {**overrides, **_chosen_interfaces(data, overrides)}.items():
        data = _with_override(data, key.split("."), value)
    return data


def _with_override(data: object, path: list[str], value: object) -> object:
    """Give a copy of a group of keys with one value replaced, at any depth."""
    if not path:
        return value
    if data is not None and not isinstance(data, dict):
        return data
    group: dict[str, object] = dict(data or {})
    group[path[0]] = _with_override(group.get(path[0]), path[1:], value)
    return group


def _chosen_interfaces(data: object, overrides: Mapping[str, object]) -> dict[str, object]:
    """Give the interfaces as the command line leaves them.

    One that it names keeps what the file says of it, but a key of `capture` given there replaces that too.
    """
    capture = data.get("capture") if isinstance(data, dict) else None
    entries = capture.get("interfaces") if isinstance(capture, dict) else None
    described = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    chosen = overrides.get("capture.interfaces", entries)
    if not isinstance(chosen, list | tuple):
        return {}
    replaced = {key.removeprefix("capture.") for key in overrides} - {"interfaces"}
    found = [next((entry for entry in described if entry.get("name") == item), item) for item in chosen]
    return {
        "capture.interfaces": [
            {key: value for key, value in item.items() if key not in replaced} if isinstance(item, dict) else item
            for item in found
        ]
    }


def _steps(item: ErrorDetails) -> KeyPath:
    return tuple(item["loc"])


class _Explainer:
    """Turns a validation error into a problem with its place and a reason that says what to write."""

    def __init__(self, origin: str, tree: Tree, overrides: Mapping[str, object]) -> None:
        self._origin = origin
        self._tree = tree
        self._overrides = overrides

    def problem(self, item: ErrorDetails) -> Problem:
        path = _steps(item)
        key = dotted(path)
        reason = self._reason(item, path)
        if any(key == name or key.startswith((f"{name}.", f"{name}[")) for name in self._overrides):
            return Problem(COMMAND_LINE, None, key, reason)
        return Problem(self._origin, self._tree.place(path, of_key=item["type"] == "extra_forbidden"), key, reason)

    def _reason(self, item: ErrorDetails, path: KeyPath) -> str:
        kind = item["type"]
        if kind == "value_error":
            return str(item["ctx"]["error"])
        if kind == "extra_forbidden":
            return "unknown key" + "".join(f"; did you mean {name}?" for name in _nearest(path))
        if kind == "literal_error":
            return f"write {item['ctx']['expected']}".replace("'", "")
        instead = _WRITE_INSTEAD.get(kind, item["msg"])
        given = item["input"]
        if kind != "missing" and isinstance(given, str | int | float):
            return f"{instead}, not {_as_written(given)}"
        return instead


def _as_written(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:80]


def _nearest(path: KeyPath) -> Iterator[str]:
    """Name the key that was probably meant: one of the same group, or the same word in another group."""
    word = str(path[-1])
    section = section_at(path[:-1])
    near = get_close_matches(word, section.model_fields, 1) if section else []
    elsewhere = sorted((key for key in all_keys() if key.rpartition(".")[2] == word), key=lambda key: key.count("."))
    yield from (near or elsewhere)[:1]
