"""Writes the report's files, whole or not at all."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sensor.report.html import page


def write(directory: Path, title: str, facts: Sequence[tuple[str, str]], document: Mapping[str, Any]) -> list[Path]:
    """Write `report.json` and `report.html` into a directory that there is. Raises OSError."""
    written = [directory / "report.json", directory / "report.html"]
    _replace(written[0], [json.dumps(document, indent=1), "\n"])
    _replace(written[1], page(title, facts, document))
    return written


def _replace(path: Path, pieces: Iterable[str]) -> None:
    unfinished = path.with_name(f"{path.name}.tmp")
    with unfinished.open("w", encoding="utf-8", errors="replace") as file:
        file.writelines(pieces)
    unfinished.replace(path)
