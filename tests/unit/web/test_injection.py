"""SQL injections that a database's error and a page prove together."""

from typing import Any

import pytest

from sensor.config.detection import Web
from sensor.engine import Batch
from sensor.report.attacks import AttackSection
from sensor.web.injection import CONDITION_EVIDENCE, PAGE_EVIDENCE, WAIT_EVIDENCE, Injections
from sensor.web.judge import WebJudge
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
    assert PAGE_EVIDENCE in last["notes"]


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
    assert (attack["requests"], attack["succeeded"], attack["evidence"]) == (4, 2, [PAGE_EVIDENCE])
    assert attack["first_success"].startswith("2026-")


def asked(statement: str, length: int = 2000, **changes: Any) -> dict[str, Any]:
    """A statement in parameter `id` and how it was answered."""
    return {"excerpt": f"id={statement}", "status": 200, "length": length, "page_bytes": length, **changes}


def told(*changes: dict[str, Any]) -> list[str]:
    """What the report says of findings that were judged as they came."""
    rows = [web(START + n * SECOND, **change) for n, change in enumerate(changes)]
    section = AttackSection()
    section.take(WebJudge(Web(), lambda *_: None).take(Batch(START, web=rows)).web)
    [attack] = section.attacks()
    return [f"{attack['succeeded']} of {attack['requests']}", *attack["evidence"]]


TRUE_AND_FALSE = [asked("1 and 1=1"), asked("1 and 1=2", 900), asked("1 and 2=2"), asked("1 and 3=4", 900)]


def test_pages_that_differ_by_whether_the_condition_is_true_are_a_success() -> None:
    assert outcomes(*TRUE_AND_FALSE, TRUE_AND_FALSE[0]) == [False, False, False, True, True]
    assert told(*TRUE_AND_FALSE) == ["4 of 4", CONDITION_EVIDENCE]
    quoted = [asked(f"x' and '{one}'='{other}", length) for one, other, length in (
        ("a", "a", 300), ("b", "b", 300), ("a", "b", 296), ("c", "d", 296),
    )]  # fmt: skip
    assert told(*quoted) == ["4 of 4", CONDITION_EVIDENCE]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(TRUE_AND_FALSE[:3], id="one false condition"),
        pytest.param([*TRUE_AND_FALSE[:3], TRUE_AND_FALSE[1]], id="the same false condition twice"),
        pytest.param([*TRUE_AND_FALSE, asked("1 and 5=5", 1999)], id="a page that changes by itself"),
        pytest.param([*TRUE_AND_FALSE, asked("1 and 5=6", 900, status=403)], id="a request turned away"),
        pytest.param([{**row, "page_bytes": 900} for row in TRUE_AND_FALSE], id="the same page"),
        pytest.param(
            [asked("1 and 10=10", 907), asked("1 and 20=20", 907), asked("1 and 1=2", 905), asked("1 and 1=3", 905)],
            id="a page that repeats the statement",
        ),
        pytest.param([{**row, "page_bytes": None} for row in TRUE_AND_FALSE], id="compressed pages of unknown length"),
        pytest.param(
            [asked("1 and 1=1"), asked("1 and 2=2"), asked("2 and 1=2", 900), asked("2 and 3=4", 900)], id="other pages"
        ),
        pytest.param(
            [{**row, "excerpt": f"{row['excerpt']} -- {'x' * 200}"} for row in TRUE_AND_FALSE],
            id="statements that are cut",
        ),
        pytest.param(
            [{**row, "excerpt": row["excerpt"].removeprefix("i")} for row in TRUE_AND_FALSE], id="their ends alone"
        ),
        pytest.param([asked("1 and 5=5", 1999), *TRUE_AND_FALSE], id="a page that was another one"),
        pytest.param(
            [TRUE_AND_FALSE[0], asked("1 and 5=5", 1999), *TRUE_AND_FALSE], id="a page that was another one once"
        ),
        pytest.param([*TRUE_AND_FALSE[:3], asked("1 and 3=4", 900, src_ip="198.51.100.8")], id="two sources"),
    ],
)
def test_pages_that_differ_for_another_reason_prove_nothing(rows: list[dict[str, Any]]) -> None:
    assert CONDITION_EVIDENCE not in told_of_all(rows)


def told_of_all(rows: list[dict[str, Any]]) -> set[str]:
    section = AttackSection()
    section.take(web(START + n * SECOND, **row) for n, row in enumerate(rows))
    return {evidence for attack in section.attacks() for evidence in attack["evidence"]}


def waited(statement: str, delay: float | None, usual: float | None = 0.1) -> dict[str, Any]:
    return asked(statement, delay_seconds=delay, usual_seconds=usual)


def test_answers_as_late_as_was_asked_for_are_a_success() -> None:
    late = [waited("1 and sleep(5)", 5.02), waited("1 and sleep(3)", 3.1), waited("1 and sleep(0)", 0.1)]
    assert outcomes(*late) == [False, True, False]
    assert told(*late) == ["2 of 3", WAIT_EVIDENCE]
    unasked = [waited("1 and sleep(2)", 2.1, None), waited("1 and 1=1", 0.2, None), waited("1 and sleep(4)", 4.1, None)]
    assert outcomes(*unasked) == [False, False, True]
    *_, last = judge(Batch(START, web=[web(START + n * SECOND, **row) for n, row in enumerate(late[:2])]))
    assert last["notes"][-2:] == ["answered 200, 2.0 kB, after 3.1 s", WAIT_EVIDENCE]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([waited("1 and sleep(5)", 5.1)], id="once"),
        pytest.param([waited("1 and sleep(5)", 5.1)] * 2, id="the same twice"),
        pytest.param([waited("1 and sleep(5)", 5.1), waited("1 and sleep(3)", 2.9)], id="too soon"),
        pytest.param([waited("1 and sleep(5)", 5.1, 2.6), waited("1 and sleep(6)", 6.1, 2.6)], id="a slow path"),
        pytest.param([waited("1 and sleep(5)", 5.1, None), waited("1 and sleep(6)", 6.1, None)], id="an unknown path"),
        pytest.param(
            [waited("1 and sleep(5)", 8.0), waited("1 and sleep(3)", 8.0), waited("1 and 1=1", 8.0)],
            id="attacks are all answered late",
        ),
        pytest.param([waited("1 and sleep(5)", None), waited("1 and sleep(3)", None)], id="no answer"),
        pytest.param([waited("1 and sleep(0)", 0.0), waited("1 and sleep(0.1)", 0.2)], id="no wait"),
    ],
)
def test_answers_that_are_late_for_another_reason_prove_nothing(rows: list[dict[str, Any]]) -> None:
    assert WAIT_EVIDENCE not in told_of_all(rows)


def test_of_a_flood_of_parameters_only_the_latest_are_known() -> None:
    injections = Injections(most=10)
    for number in range(1000):
        row = web(**waited("1 and sleep(5)", 5.1), path=f"/{number}")
        injections.learn(row)
        injections.learn(web(**waited("1 and sleep(3)", 3.1), path=f"/{number}"))
    paths = [
        number for number in range(1000) if injections.proof(web(**waited("1 and sleep(5)", 5.1), path=f"/{number}"))
    ]
    assert paths == list(range(990, 1000))
