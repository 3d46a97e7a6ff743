"""Fixtures that every kind of test shares, and the rule that a skip is no success where all must run."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

MARKED_DIRECTORIES = ("live", "peers", "system")
"""Directories below `tests/` whose tests carry the marker of the same name."""

settings.register_profile("fuzz", max_examples=int(os.environ.get("FUZZ_CASES", "20000")), deadline=None)
settings.register_profile("test", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The directory of the capture corpus, from SPANWATCH_CORPUS."""
    path = os.environ.get("SPANWATCH_CORPUS")
    if not path:
        pytest.skip("SPANWATCH_CORPUS does not name the directory of the capture corpus")
    if not Path(path).is_dir():
        pytest.fail(f"SPANWATCH_CORPUS: {path} is no directory")
    return Path(path)


@pytest.fixture(scope="session")
def spanwatch() -> Path:
    """The built command."""
    command = Path(sys.executable).with_name("spanwatch")
    assert command.exists(), f"{command} is missing: run the tests with the Python that make build prepared"
    return command


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks the tests of a marked directory."""
    for item in items:
        directory = _marked_directory(item)
        if directory:
            item.add_marker(directory)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In continuous integration a skipped test of a marked directory fails."""
    report = yield
    return _unskipped(report, item)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips as a whole."""
    report = yield
    return _unskipped(report, collector)


def _unskipped(report: Report, node: pytest.Item | pytest.Collector) -> Report:
    if report.skipped and os.environ.get("CI") and _marked_directory(node) and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{node.nodeid} must run where CI is set: {reason}"
    return report


def _marked_directory(node: pytest.Item | pytest.Collector) -> str | None:
    try:
        place = node.path.relative_to(Path(__file__).parent).parts
    except ValueError:
        return None
    return place[0] if place and place[0] in MARKED_DIRECTORIES else None
