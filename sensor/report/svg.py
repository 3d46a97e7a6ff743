"""Pictures of the report as inline SVG: no script, and colours by the page's style."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from sensor.report.sections import moment

_WIDTH, _HEIGHT, _TOP, _BOTTOM = 960, 180, 18, 22
_BAR_HEIGHT, _LABEL_WIDTH, _VALUE_WIDTH = 22, 260, 110


def timeline(steps: Sequence[Mapping[str, Any]], unit: str) -> str:
    """Draw `unit` (`packets` or `bytes`) a step as columns over time."""
    if not steps:
        return ""
    most = max(1, *(step[unit] for step in steps))
    width = _WIDTH / len(steps)
    height = _HEIGHT - _TOP - _BOTTOM
    columns = []
    for place, step in enumerate(steps):
        tall = height * step[unit] / most
        title = f"{moment(step['time'])}: {step[unit]:,} {unit} in {step['seconds']} s"
        columns.append(
            f'<rect x="{place * width:.2f}" y="{_TOP + height - tall:.2f}" width="{max(width - 0.5, 0.5):.2f}" '
            f'height="{tall:.2f}"><title>{escape(title)}</title></rect>'
        )
    first, last = (escape(moment(steps[end]["time"])) for end in (0, -1))
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(unit)} over time">'
        f'<text x="0" y="12">at most {most:,} {escape(unit)} in {steps[0]["seconds"]} s</text>'
        f'<g class="bars">{"".join(columns)}</g>'
        f'<line x1="0" y1="{_TOP + height}" x2="{_WIDTH}" y2="{_TOP + height}"/>'
        f'<text x="0" y="{_HEIGHT - 6}">{first}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">{last}</text></svg>'
    )


def bars(values: Sequence[tuple[str, int, str]]) -> str:
    """Draw one bar a value, `(label, number, number as text)` each."""
    if not values:
        return ""
    most = max(1, *(number for _, number, _ in values))
    room = _WIDTH - _LABEL_WIDTH - _VALUE_WIDTH
    parts = []
    for place, (label, number, shown) in enumerate(values):
        y = place * _BAR_HEIGHT
        long = max(room * number / most, 1)
        parts.append(
            f'<text x="{_LABEL_WIDTH - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{_LABEL_WIDTH}" y="{y + 3}" width="{long:.2f}" height="{_BAR_HEIGHT - 6}"/>'
            f'<text x="{_LABEL_WIDTH + long + 6:.2f}" y="{y + 15}">{escape(shown)}</text>'
        )
    height = len(values) * _BAR_HEIGHT
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="bars">'
        f'<g class="bars">{"".join(parts)}</g></svg>'
    )
