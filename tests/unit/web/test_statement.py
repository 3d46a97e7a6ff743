"""What injected statements ask of the database."""

import pytest

from sensor.web.statement import condition_of, wait_seconds


@pytest.mark.parametrize(
    ("text", "truth"),
    [
        ("id=1 and 1=1", True),
        ("id=1 and 1=2", False),
        ("id=1' and 'a'='a", True),
        ("id=1' and 'a'='b' -- x", False),
        ('id=1" and "a" like "a', True),
        ("id=1) and (3=4", False),
        ("id=1' and 1<2#", True),
        ("id=1 and 2<>2", False),
        ("id=1 and '7'=7", True),
        ("id=1 and not 1=1", False),
        ("id=1 and 5=5 and (6=7", False),
        ("id=1 or 1=2 or 3=3", True),
        ("id=1&&2=3", False),
        ("id=1' and'1'='1", True),
    ],
)
def test_a_condition_of_literals_is_true_or_false(text: str, truth: bool) -> None:
    found = condition_of(text)
    assert found is not None
    assert found.truth == truth


@pytest.mark.parametrize(
    "text",
    [
        "id=1",
        "id=1 and 1=1+1",
        "id=1 and 'a'='a'||'b'",
        "id=1 and 'a'=0",
        "id=1 and 1=1 or 1=2",
        "id=1 and user()=1",
        "id=1 -- and 1=1",
        "id=band 1=1",
        "id=1 and 12345678901=1",
    ],
)
def test_what_depends_on_the_database_is_no_condition_of_literals(text: str) -> None:
    assert condition_of(text) is None


def test_statements_of_one_shape_differ_in_what_they_compare_alone() -> None:
    first, *others = (
        condition_of(text)
        for text in (
            "id=1' and 'ab'='ab' -- qx",
            "id=1' and 'cd'='ef' -- yz",
            "id=2' and 'ab'='ab' -- qx",
            "id=1' and 'ab'<'ab' -- qx",
            "id=1' and 'a'='a' -- qx",
            "id=1' and 'ab'='ab' -- q",
        )
    )
    assert first is not None
    assert [other is not None and other.shape == first.shape for other in others] == [True, *[False] * 4]
    assert first.compared == "'ab' 'ab'"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("id=1 and sleep(5)", 5),
        ("id=1 and (select 1 from (select(sleep(5-(if(1=1,0,5)))))x)", 5),
        ("id=1';select pg_sleep(2.5)--", 2.5),
        ("id=1'; waitfor delay '0:1:5'--", 65),
        ("id=1 and 1=dbms_pipe.receive_message(chr(65)||chr(66),10)", 10),
        ("id=1 and dbms_lock.sleep(3)", 3),
        ("id=1 and benchmark(10000000,md5(1))", 2),
        ("id=if(1,sleep(1),sleep(3))", 3),
        ("id=1 and sleep(0)", 0),
        ("id=1 and 1=1", 0),
        ("q=benchmark", 0),
    ],
)
def test_how_long_a_statement_makes_the_database_wait(text: str, seconds: float) -> None:
    assert wait_seconds(text) == pytest.approx(seconds)
