"""SQL injections that a database's error and a page prove together."""

from typing import Any

import pytest

from sensor.engine import Batch
from sensor.report.attacks import AttackSection
from sensor.web.injection import EVIDENCE
from sensor.web.rows import WebRow
from tests.unit.samples import SECOND, START
from tests.unit.web.test_judge import judge, web

ERROR: dict[str, Any] = {"status": 500, "length": 100, "evidence": "the database answers with an error"}
PAGE: dict[str, Any] = {"status": 200, "length": 2000}


def outcomes(*changes: dict[str, Any]) -> list[bool]:
    """What is judged of findings, a second apart."""
    rows = [web(START + n * SECOND, **change) for n, change in enumerate(changes)]
    return [row["context"]["web"]["succeeded"] for row in judge(Batch(START, web=rows))]


def test_a_page_behind_an_error_is_a_success_and_before_it_only_tried() -> None:
    assert outcomes(PAGE, ERROR, PAGE) == [False, False, True]
    *_, last = judge(Batch(START, web=[web(**ERROR), web(START + SECOND, **PAGE)]))
    assert EVIDENCE in last["notes"]


@pytest.mark.parametrize(
    "other",
    [
        {"parameter": "sort"},
        {"path": "/other"},
        {"src_ip": "198.51.100.8"},
        {"status": 403},
        {"length": 100},
        {"category": "web.xss"},
        {"evidence": "the database answers with an error"},
    ],
)
def test_what_may_have_another_reason_proves_nothing(other: dict[str, Any]) -> None:
    assert outcomes(ERROR, {**PAGE, **other}) == [False, False]


def test_the_report_counts_what_was_tried_before_the_error_too() -> None:
    section = AttackSection()
    changes: list[dict[str, Any]] = [PAGE, ERROR, PAGE, {}]
    rows: list[WebRow] = [web(START + n * SECOND, **change) for n, change in enumerate(changes)]
    section.take(rows)
    [attack] = section.attacks()
    assert (attack["requests"], attack["succeeded"], attack["evidence"]) == (4, 2, [EVIDENCE])
    assert attack["first_success"].startswith("2026-")
