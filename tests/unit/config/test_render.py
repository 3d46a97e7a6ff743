"""The committed reference documents are those of the model."""

from pathlib import Path

import yaml

from sensor.config import Config, load
from sensor.config.outline import all_keys, all_sections, leaves
from sensor.config.render import json_schema, reference_markdown, reference_yaml
from sensor.config.section import Section

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "etc" / "spanwatch.yaml"


def test_the_reference_file_is_current() -> None:
    assert REFERENCE.read_text() == reference_yaml(), "run: spanwatch config reference --yaml > etc/spanwatch.yaml"


def test_the_reference_document_is_current() -> None:
    assert (ROOT / "docs" / "config.md").read_text() == reference_markdown(), (
        "run: spanwatch config reference > docs/config.md"
    )


def test_the_reference_file_holds_every_key_with_its_default_and_no_other() -> None:
    held = yaml.safe_load(REFERENCE.read_text())
    assert _flat(held) == _flat(Config().model_dump(mode="json"))
    assert set(_flat(held)) == {key for key, _ in leaves(Config)}


def test_the_reference_file_means_the_defaults() -> None:
    assert load(REFERENCE) == Config()


def test_every_key_stands_under_a_line_of_meaning() -> None:
    lines = REFERENCE.read_text().splitlines()
    for number, line in enumerate(lines):
        if line and not line.lstrip().startswith("#"):
            before = lines[number - 1].strip()
            assert before.startswith("# "), f"line {number + 1}: {line}"


def test_every_key_and_group_is_described() -> None:
    for section in all_sections():
        assert section.__doc__
        assert section.__doc__ != Section.__doc__
        for name, field in section.model_fields.items():
            described = field.description or issubclass_of_section(field.annotation)
            assert described, f"{section.__name__}.{name}"


def issubclass_of_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def test_keys_of_list_entries_are_known() -> None:
    assert {"watchlists.severity", "capture.interfaces.filter", "alerts.suppress.until"} <= set(all_keys())


def test_the_schema_knows_units_in_defaults() -> None:
    schema = json_schema()
    ring = schema["$defs"]["PcapRing"]["properties"]
    assert (ring["segment_time"]["default"], ring["max_size"]["default"], ring["max_age"]["default"]) == (
        "5m",
        "50GiB",
        0,
    )
    assert schema["$defs"]["PcapRing"]["additionalProperties"] is False


def _flat(values: object, before: str = "") -> dict[str, object]:
    if not isinstance(values, dict):
        return {before: values}
    found: dict[str, object] = {}
    for key, value in values.items():
        found |= _flat(value, f"{before}.{key}" if before else key)
    return found
