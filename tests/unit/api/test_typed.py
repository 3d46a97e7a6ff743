"""Schemas of typed dictionaries."""

from typing import NotRequired, TypedDict

import pytest

from sensor.api.typed import schema_of


class Inner(TypedDict):
    """A part."""

    text: str | None


class Outer(TypedDict):
    """A whole."""

    count: int
    parts: list[Inner]
    by_name: NotRequired[dict[str, bool]]


def test_a_typed_dictionary_is_described_to_its_last_column() -> None:
    text = {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert schema_of(Outer) == {
        "type": "object",
        "required": ["count", "parts"],
        "properties": {
            "count": {"type": "integer", "minimum": 0},
            "parts": {
                "type": "array",
                "items": {"type": "object", "required": ["text"], "properties": {"text": text}},
            },
            "by_name": {"type": "object", "additionalProperties": {"type": "boolean"}},
        },
    }


def test_what_has_no_schema_is_an_error() -> None:
    with pytest.raises(KeyError):
        schema_of(set[str])
