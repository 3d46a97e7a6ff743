"""Sizes, durations and rates."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.config import units


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("0", 0),
        (0, 0),
        (4096, 4096),
        ("4096", 4096),
        ("17B", 17),
        ("64KiB", 65_536),
        ("512MiB", 536_870_912),
        ("5GB", 5_000_000_000),
        ("0.1GB", 100_000_000),
        ("1.5 GiB", 1_610_612_736),
        ("64kB", 64_000),
    ],
)
def test_a_size_is_read(text: object, size_bytes: int) -> None:
    assert units.parse_size(text) == size_bytes


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("64k", "64KiB (1024-based) or 64kB (1000-based)"),
        ("5G", "5GiB (1024-based) or 5GB (1000-based)"),
        ("5gb", "5GiB (1024-based) or 5GB (1000-based)"),
        ("5 parsecs", "no unit of size"),
        ("-1", "not a size"),
        ("", "not a size"),
        ("0.3B", "not a whole number of bytes"),
        (-1, "between"),
        (2**63, "between"),
        (True, "write a size"),
        (1.5, "write a size"),
        (None, "write a size"),
    ],
)
def test_a_bad_size_says_what_to_write(text: object, advice: str) -> None:
    with pytest.raises(ValueError, match=re.escape(advice)):
        units.parse_size(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        (0, 0.0),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("30d", 2_592_000),
        ("2w", 1_209_600),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("0.1s", 0.1),
        ("1d2h3m4s5ms", 93_784.005),
    ],
)
def test_a_duration_is_read(text: object, seconds: float) -> None:
    assert units.parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (30, "write 30s for seconds or 30m for minutes"),
        (1.5, "has no unit"),
        ("30", "not a duration"),
        ("5 minutes", "not a duration"),
        ("30m1h", "not a duration"),
        ("1h1h", "not a duration"),
        ("1h ", "not a duration"),
        ("", "not a duration"),
        ("0.0001s", "not a whole number of milliseconds"),
        ("101w999999d", "100 years"),
        (False, "write a duration"),
        (None, "write a duration"),
    ],
)
def test_a_bad_duration_says_what_to_write(text: object, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        units.parse_duration(text)


@pytest.mark.parametrize(("text", "bits"), [("1Gbit/s", 10**9), ("100Mbit/s", 10**8), ("2.5Gbit/s", 2_500_000_000)])
def test_a_rate_is_read(text: str, bits: int) -> None:
    assert units.parse_rate(text) == bits


@pytest.mark.parametrize("text", ["1Gbit", "1G", 1000, None, "0Gbit/s", "fast"])
def test_a_bad_rate_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="line rate"):
        units.parse_rate(text)


@given(st.integers(0, units.LARGEST_SIZE_BYTES))
def test_a_written_size_is_read_back(size_bytes: int) -> None:
    assert units.parse_size(units.format_size(size_bytes)) == size_bytes


@given(st.integers(0, 10**12))
def test_a_written_duration_is_read_back(milliseconds: int) -> None:
    assert units.parse_duration(units.format_duration(milliseconds / 1000)) == milliseconds / 1000


@given(st.integers(1, 10**15))
def test_a_written_rate_is_read_back(bits: int) -> None:
    assert units.parse_rate(units.format_rate(bits)) == bits


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0"), (268_435_456, "256MiB"), (50 * units.GIB, "50GiB"), (5 * 10**9, "5GB"), (10**12, "1TB")],
)
def test_a_size_is_written_with_its_best_unit(size_bytes: int, text: str) -> None:
    assert units.format_size(size_bytes) == text


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans())
def test_nothing_but_a_reason_comes_of_nonsense(value: object) -> None:
    for parse in (units.parse_size, units.parse_duration, units.parse_rate):
        try:
            assert parse(value) >= 0
        except ValueError as error:
            assert str(error)  # noqa: PT017
