"""The configuration written out: effective YAML, JSON Schema, and the two reference documents."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic.fields import FieldInfo

from sensor.config.models import Config
from sensor.config.outline import all_sections, section_of
from sensor.config.section import Section

_YAML_INTRODUCTION = """\
The configuration of spanwatch: every key, with its default. All keys may be left out.
Sizes: 512MiB (1024-based), 5GB (1000-based). Durations: 250ms, 90s, 5m, 1h30m, 30d; 0 needs no unit.
Relative paths start at this file's directory. `spanwatch check -c FILE` says what is wrong with a configuration.
Generated from the model by `spanwatch config reference --yaml`.
"""

_MARKDOWN_INTRODUCTION = """\
# Configuration

`/etc/spanwatch/spanwatch.yaml`, or what `-c` names. Every key may be left out; `run` needs an interface, here or with
`-i`. `spanwatch check -c FILE` prints every mistake as `file:line:column: key: reason`, `spanwatch config dump` the
effective values, and `spanwatch config schema` a JSON Schema for editors. `etc/spanwatch.yaml` holds all keys with
their defaults.

- **Sizes** are `512MiB`, `50GiB` (1024-based), `5GB`, `64kB` (1000-based) or a whole number of bytes.
- **Durations** are `250ms`, `90s`, `5m`, `1h30m`, `30d`, `2w`; 0 needs no unit.
- **Paths** that are relative start at the directory of the configuration file.
- **YAML** is read without its surprises: `no`, `on` and dates are words; what readers disagree about (`010`, `1_000`,
  `12:30:45`, `1e3`) is refused, and so are duplicate keys, tags and merge keys.

Generated from the model by `spanwatch config reference`: change the text there.
"""

_COMMENT_WIDTH = 118


def dump(config: Config) -> str:
    """Write the effective configuration as YAML that `load` reads back; secrets live in files of their own."""
    values = config.model_dump(mode="json")
    text: str = yaml.dump(values, Dumper=yaml.CSafeDumper, sort_keys=False, width=_COMMENT_WIDTH)
    return text


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of a configuration file, for editors."""
    schema = Config.model_json_schema()
    for section in all_sections():
        properties = schema["$defs"][section.__name__]["properties"]
        # pydantic gives defaults as the program holds them, in seconds and bytes; a file has units.
        for name, value in section.model_construct().model_dump(mode="json").items():
            properties[name]["default"] = value
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def reference_yaml() -> str:
    """Write `etc/spanwatch.yaml`: every key with default, unit and meaning."""
    lines = [f"# {line}" for line in _YAML_INTRODUCTION.splitlines()]
    for name, value in Config().model_dump(mode="json").items():
        lines.append("")
        lines += _yaml_key(Config, name, value, "")
    return "\n".join(lines) + "\n"


def _yaml_key(section: type[Section], name: str, value: object, indent: str) -> Iterator[str]:
    field = section.model_fields[name]
    inner = section_of(field.annotation)
    yield from _comment(_meaning(field), indent)
    if inner and isinstance(value, dict):
        yield f"{indent}{name}:"
        for key, inner_value in value.items():
            yield from _yaml_key(inner, key, inner_value, f"{indent}  ")
    elif inner and isinstance(value, list) and value:
        yield f"{indent}{name}:"
        for entry in value:
            yield from _yaml_entry(inner, entry, f"{indent}  ")
    else:
        if inner and isinstance(value, list):
            yield from _comment("Keys of an entry:", indent)
            for key, inner_field in inner.model_fields.items():
                yield from _comment(f"  {key}: {_meaning(inner_field)}", indent)
        yield f"{indent}{name}: {_inline(value)}"


def _yaml_entry(section: type[Section], entry: dict[str, Any], indent: str) -> Iterator[str]:
    for number, (key, value) in enumerate(entry.items()):
        yield from _comment(_meaning(section.model_fields[key]), f"{indent}  ")
        yield f"{indent}{'  ' if number else '- '}{key}: {_inline(value)}"


def _comment(text: str, indent: str) -> Iterator[str]:
    start = f"{indent}# "
    yield from textwrap.wrap(text, _COMMENT_WIDTH, initial_indent=start, subsequent_indent=f"{start}  ")


def _meaning(field: FieldInfo) -> str:
    """Give a key's description; that of a group is its model's docstring."""
    section = section_of(field.annotation)
    return field.description or (section.__doc__ if section else None) or ""


def _inline(value: object) -> str:
    """Write a value in YAML's flow style, on one line."""
    text: str = yaml.dump([value], Dumper=yaml.CSafeDumper, default_flow_style=True, width=10_000)
    return text.strip()[1:-1]


def reference_markdown() -> str:
    """Write `docs/config.md`."""
    lines = _MARKDOWN_INTRODUCTION.splitlines()
    for name, value in Config().model_dump(mode="json").items():
        lines += _markdown_group(name, Config.model_fields[name], value)
    return "\n".join(lines) + "\n"


def _markdown_group(name: str, field: FieldInfo, value: object) -> Iterator[str]:
    """Write the table of one group of keys, then those of the groups within."""
    section = section_of(field.annotation)
    if section is None:
        return
    is_list = isinstance(value, list)
    heading = "##" if "." not in name else "###"
    yield from ("", f"{heading} `{name}`{' (list)' if is_list else ''}", "", _meaning(field), "")
    if is_list and value:
        yield from (f"Default: `{json.dumps(value)}`", "")
    rows, inner = [], []
    for key, inner_field in section.model_fields.items():
        inner_value = value[key] if isinstance(value, dict) else inner_field.get_default()
        if section_of(inner_field.annotation) and isinstance(inner_value, dict | list):
            inner.append((f"{name}.{key}", inner_field, inner_value))
        else:
            default = "required" if inner_field.is_required() else f"`{_inline(inner_value)}`"
            rows.append(f"| `{key}` | {default} | {_meaning(inner_field)} |")
    yield from ("| key | default | meaning |", "|---|---|---|", *rows) if rows else ()
    for group in inner:
        yield from _markdown_group(*group)
