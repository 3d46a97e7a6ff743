from pathlib import Path

from sensor.metrics_page import reference

ROOT = Path(__file__).parents[2]


def test_the_committed_page_is_current() -> None:
    assert (ROOT / "docs/metrics.md").read_text() == reference(), "run `make docs`"
