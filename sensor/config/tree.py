"""YAML text to plain data, with the line and column of every key and value, and without YAML's surprises.

PyYAML reads YAML 1.1, where `no` is false, `010` is eight and `12:30:45` is a number. Here a plain word is a word; what
two readers would understand differently is refused with what to write instead.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import yaml

from sensor.config.errors import Place

LARGEST_FILE_BYTES = 1 << 20
MOST_NODES = 50_000
DEEPEST_NESTING = 20


class Limits(NamedTuple):
    """How large a document may be; a node is a value, a key or a group."""

    largest_bytes: int = LARGEST_FILE_BYTES
    most_nodes: int = MOST_NODES


KeyPath = tuple[str | int, ...]

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {word: word.lower() == "true" for word in ("true", "True", "TRUE", "false", "False", "FALSE")}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,18})\.[0-9]{1,18}")
# YAML 1.1, section 4.1.1: what is not c-printable.
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURPRISES = (
    (re.compile(r"[-+]?0[0-9_]+"), "a number with a leading zero is octal to some readers; write it without the zero"),
    (re.compile(r"[-+]?[0-9][0-9_]*_[0-9_]*(\.[0-9_]*)?"), "write the number without underscores"),
    (re.compile(r"[-+]?0[xob][0-9A-Fa-f_]+"), "write the number in decimal"),
    (
        re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
        "YAML reads this as a number in base 60; write a duration as 12h30m45s",
    ),
    (re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+"), "write the number without an exponent"),
    (re.compile(r"[-+]?(\.(inf|Inf|INF|nan|NaN|NAN|[0-9]+)|[0-9]+\.)"), "write the number as 0.5 or 2"),
    (re.compile(r"[-+]?[0-9]{20,}(\.[0-9]*)?"), "the number is too large"),
)


class _Mark(Protocol):
    """What both of PyYAML's marks have, the C parser's and its own."""

    line: int
    column: int


@dataclass
class Tree:
    """Plain data (dict, list, str, int, float, bool, None), where each part stands, and what was refused."""

    data: object = None
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    refused: list[tuple[Place, KeyPath, str]] = field(default_factory=list)

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place | None:
        """Give the place of a value (or of its key), or of the nearest part around it that was written."""
        if of_key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), 0, -1):
            found = self.values.get(path[:length])
            if found is not None:
                return found
        return self.values.get(())


class _UnreadableError(Exception):
    """The text as a whole cannot be used."""

    def __init__(self, place: Place, reason: str) -> None:
        super().__init__(reason)
        self.place = place
        self.reason = reason


def read_tree(text: bytes, limits: Limits = Limits()) -> Tree:  # noqa: B008  # immutable
    """Read a YAML document. Never raises for any bytes: `Tree.refused` says what is wrong."""
    tree = Tree()
    decoded = ""
    try:
        decoded = _decode(text, limits.largest_bytes)
        _check_shape(decoded, limits.most_nodes)
        root = yaml.compose(decoded, Loader=yaml.CSafeLoader)
        if root is not None:
            tree.data = _Converter(tree, limits.most_nodes).convert(root, ())
    except _UnreadableError as error:
        tree.refused.append((error.place, (), error.reason))
    except yaml.MarkedYAMLError as error:
        tree.refused.append((_place(error.problem_mark), (), _syntax_reason(error, decoded)))
    return tree


def _decode(text: bytes, largest_bytes: int) -> str:
    if len(text) > largest_bytes:
        raise _UnreadableError(Place(1, 1), f"the file is larger than {largest_bytes >> 20} MiB")
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8", errors="replace")
        raise _UnreadableError(_place_after(before), "the text is not UTF-8") from None
    unprintable = _UNPRINTABLE.search(decoded)
    if unprintable:
        reason = f"the character U+{ord(unprintable[0]):04X} is not allowed in YAML"
        raise _UnreadableError(_place_after(decoded[: unprintable.start()]), reason)
    return decoded


def _place_after(before: str) -> Place:
    return Place(before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)


def _place(mark: _Mark | None) -> Place:
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def _check_shape(text: str, most_nodes: int) -> None:
    """Bound depth and number of nodes over the flat event stream: `compose` recurses in C and would end the process."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST_NESTING:
            raise _UnreadableError(_place(event.start_mark), f"nested deeper than {DEEPEST_NESTING} levels")
        if count > most_nodes:
            raise _UnreadableError(_place(event.start_mark), f"more than {most_nodes} nodes")
        tag = getattr(event, "tag", None)
        if tag:
            raise _UnreadableError(_place(event.start_mark), f"the tag {tag} has no meaning here; remove it")


def _syntax_reason(error: yaml.MarkedYAMLError, text: str) -> str:
    mark = error.problem_mark
    at = ""
    if mark is not None:
        lines = text.splitlines()
        at = lines[mark.line][mark.column : mark.column + 1] if mark.line < len(lines) else ""
    if at == "\t":
        return "not YAML: indent with spaces, not with tabs"
    if at and at in "%@`":
        return f"not YAML: a word cannot begin with {at}; put it in quotes"
    context = f" {error.context}" if error.context else ""
    return f"not YAML: {error.problem}{context}"


def _is_plain(node: yaml.Node) -> bool:
    return not getattr(node, "style", None)


class _Converter:
    """Composed nodes to plain data; an anchor's content counts each time that it is used."""

    def __init__(self, tree: Tree, most_nodes: int) -> None:
        self._tree = tree
        self._most_nodes = most_nodes
        self._nodes = 0

    def convert(self, node: yaml.Node, path: KeyPath) -> object:
        self._nodes += 1
        place = _place(node.start_mark)
        if self._nodes > self._most_nodes or len(path) > DEEPEST_NESTING:
            raise _UnreadableError(place, "an anchor (&) used too often or within itself; write its content out")
        self._tree.values[path] = place
        if isinstance(node, yaml.MappingNode):
            return {key: self.convert(value, (*path, key)) for key, value in self._entries(node, path)}
        if isinstance(node, yaml.SequenceNode):
            return [self.convert(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node.value, node, path)

    def _entries(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[str, yaml.Node]]:
        seen: dict[str, Place] = {}
        for key_node, value in node.value:
            place = _place(key_node.start_mark)
            key = key_node.value
            if not isinstance(key, str):
                self._tree.refused.append((place, path, "a key must be a word"))
            elif key == "<<" and _is_plain(key_node):
                self._tree.refused.append((place, (*path, key), "merge keys are not read; write the content out"))
            elif key in seen:
                self._tree.refused.append((place, (*path, key), f"already given in line {seen[key].line}"))
            else:
                seen[key] = self._tree.keys[(*path, key)] = place
                yield key, value

    def _scalar(self, text: str, node: yaml.Node, path: KeyPath) -> object:
        if not _is_plain(node):
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            return float(text)
        for pattern, advice in _SURPRISES:
            if pattern.fullmatch(text):
                reason = f'"{text[:40]}": {advice}, or put it in quotes if it is text'
                self._tree.refused.append((_place(node.start_mark), path, reason))
                return None
        return text
