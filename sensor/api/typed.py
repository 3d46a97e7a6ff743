"""JSON Schemas of typed dictionaries, so that what describes an answer cannot depart from its type."""

from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

Schema = dict[str, Any]

_SCALARS: dict[Any, Schema] = {
    int: {"type": "integer", "minimum": 0},
    str: {"type": "string"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
    Any: {},
}


def schema_of(kind: Any) -> Schema:  # noqa: ANN401  # a type is no class where it is a union
    """Give the schema of a TypedDict, or of what stands in one: counts, texts, lists, mappings and unions of them.

    Raises KeyError for any other type.
    """
    if is_typeddict(kind):
        return {"type": "object", "required": sorted(kind.__required_keys__), "properties": columns_of(kind)}
    arguments = get_args(kind)
    if get_origin(kind) is list:
        return {"type": "array", "items": schema_of(arguments[0])}
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])}
    if get_origin(kind) is UnionType:
        return {"anyOf": [schema_of(argument) for argument in arguments]}
    return _SCALARS[kind]


def columns_of(kind: type) -> dict[str, Schema]:
    """Give the schema of each column of a TypedDict."""
    return {name: schema_of(column) for name, column in get_type_hints(kind).items()}
