from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def eight_hours_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The zone of the lines in the interface document."""
    monkeypatch.setenv("TZ", "CST-8")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
