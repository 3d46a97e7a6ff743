"""The shape of the configuration model: which keys there are, in which groups."""

from collections.abc import Iterator
from typing import get_args

from pydantic.fields import FieldInfo

from sensor.config.models import Config
from sensor.config.section import Section
from sensor.config.tree import KeyPath


def section_of(annotation: object) -> type[Section] | None:
    """Give the group of keys that a type holds, directly, optionally or as a list's entries."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next(filter(None, map(section_of, get_args(annotation))), None)


def section_at(path: KeyPath) -> type[Section] | None:
    """Give the group that stands at a path of keys and indexes, None if there is none."""
    section: type[Section] | None = Config
    for step in path:
        if isinstance(step, int):
            continue
        field = section.model_fields.get(step) if section else None
        section = section_of(field.annotation) if field else None
    return section


def leaves(section: type[Section], before: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Give every key that holds a value or a list, dotted, in the order of the model."""
    for name, field in section.model_fields.items():
        key = f"{before}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from leaves(field.annotation, f"{key}.")
        else:
            yield key, field


def all_keys() -> Iterator[str]:
    """Give every dotted key, also those of list entries (`watchlists.path`)."""
    for key, field in leaves(Config):
        yield key
        entry = section_of(field.annotation)
        if entry:
            yield from (f"{key}.{name}" for name in entry.model_fields)


def all_sections(of: type[Section] = Config) -> Iterator[type[Section]]:
    """Give every group of keys below one, at any depth."""
    for field in of.model_fields.values():
        section = section_of(field.annotation)
        if section:
            yield section
            yield from all_sections(section)
