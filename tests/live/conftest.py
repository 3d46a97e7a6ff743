"""Fixtures of the live tests: a private network, and daemons in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.lab import Lab
from tests.live.sensor_process import SensorProcess

SensorFactory = Callable[..., SensorProcess]


@pytest.fixture
def lab() -> Iterator[Lab]:
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    lab = Lab()
    yield lab
    lab.close()


@pytest.fixture
def sensor(lab: Lab, spanwatch: Path, tmp_path: Path) -> Iterator[SensorFactory]:
    """Makes daemons that are ended with the test. Keywords are sections of the configuration."""
    made: list[SensorProcess] = []

    def make(directory: Path = tmp_path, **sections: Any) -> SensorProcess:
        made.append(SensorProcess(lab, spanwatch, directory, **sections))
        return made[-1]

    yield make
    for process in made:
        process.close()
