from __future__ import annotations

import pytest

from sensor.top.cells import age, foreign, kilo, local_end, remote_end, tags
from tests.unit.samples import flow_row


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119.9, "119s"),
        (120, "2m"),
        (7199, "119m"),
        (7200, "2h"),
        (172_800, "2d"),
        (10**9, "11574d"),
    ],
)
def test_an_age_has_one_unit(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(0, "0.0"), (1499, "1.5"), (99_940, "99.9"), (100_000, "100"), (8.412e6, "8,412")]
)
def test_rates_have_one_unit(rate: float, text: str) -> None:
    assert kilo(rate) == text


def test_what_comes_from_outside_is_one_harmless_short_line() -> None:
    assert foreign("a\nb\x1b[1m\u202e") == r"a\x0ab\x1b[1m\u202e"
    assert foreign(None) == ""
    assert len(foreign("x" * 10_000)) == 120


def test_ends_are_those_of_the_own_host_and_the_other() -> None:
    row = flow_row(local="resp", orig_ip="2001:db8::1", orig_port=4000, resp_ip="10.0.0.1", resp_port=22)
    assert (local_end(row), remote_end(row)) == ("10.0.0.1:22", "[2001:db8::1]:4000")
    assert local_end(flow_row(local="orig", orig_port=0, orig_ip="10.0.0.1")) == "10.0.0.1"
    assert tags([100, 30]) == "100.30"
