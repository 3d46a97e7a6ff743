"""The report as one page: nothing is fetched, no script is needed, and whatever comes from the wire is escaped."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape as html_escape
from typing import Any

from sensor.alerts.text import escape as harmless
from sensor.alerts.text import size
from sensor.report import svg
from sensor.report.sections import SECTIONS, Column, Row, Section, moment
from sensor.report.style import STYLE

MOST_ROWS = 200
"""Rows of a table that the page shows; `report.json` has all."""

_LONGEST_CELL = 600
_TOP_BARS = 12
_MOST_ACTIONS = 200
_MOST_FILES = 5
# No source of anything but the page itself: what an attacker wrote stays text, even if a browser thought otherwise.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, facts: Sequence[tuple[str, str]], document: Mapping[str, Any]) -> Iterable[str]:
    """Give the page in pieces; `facts` are names and values for its head."""
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}"><meta name="referrer" content="no-referrer">'
        f"<title>{_text(title)}</title><style>{STYLE}</style></head><body><header><h1>{_text(title)}</h1><dl>"
    )
    yield from (f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in facts)
    yield f"</dl>{_navigation(document)}</header><main>"
    for section in SECTIONS:
        if section.key == "not_understood":
            yield _timeline(document["timeline"])
        yield from _section(section, document[section.key])
    yield _mirror(document["mirror"])
    yield "</main></body></html>\n"


def _text(value: object, longest: int = _LONGEST_CELL) -> str:
    return html_escape(harmless(str(value), longest))


def _navigation(document: Mapping[str, Any]) -> str:
    links = [
        f'<a href="#{section.key}">{_text(section.title)} <span>{len(document[section.key]):,}</span></a>'
        for section in SECTIONS
    ]
    more = [f'<a href="#mirror">Mirror <span>{_text(document["mirror"]["verdict"])}</span></a>']
    if document["timeline"]:
        more.insert(0, '<a href="#timeline">Timeline</a>')
    return f"<nav>{''.join([*links, *more])}</nav>"


def _timeline(steps: Sequence[Row]) -> str:
    drawn = "".join(svg.timeline(steps, unit) for unit in ("packets", "bytes"))
    return f'<section id="timeline"><h2>Timeline</h2><div class="scroll">{drawn}</div></section>' if drawn else ""


def _mirror(mirror: Mapping[str, Any]) -> str:
    reasons = [f"<li>{_text(reason.get('rule', ''))} <code>{_text(reason)}</code></li>" for reason in mirror["reasons"]]
    verdict = mirror["verdict"]
    said = f'<p class="verdict {_text(verdict)}">The mirror is {_text(verdict)}.</p>'
    return f'<section id="mirror"><h2>Mirror</h2>{said}<ul>{"".join(reasons)}</ul></section>'


def _section(section: Section, rows: Sequence[Row]) -> Iterable[str]:
    yield f'<section id="{section.key}"><h2>{_text(section.title)}</h2>'
    if not rows:
        yield f'<p class="nothing">{_text(section.nothing)}</p></section>'
        return
    yield f'<div class="scroll">{_chart(section.key, rows)}</div>'
    yield from _attackers(rows) if section.key == "attackers" else _table(section, rows)
    if len(rows) > MOST_ROWS:
        yield f"<p>{MOST_ROWS} of {len(rows):,} rows; report.json has all.</p>"
    yield "</section>"


def _chart(key: str, rows: Sequence[Row]) -> str:
    top = rows[:_TOP_BARS]
    if key == "senders":
        return svg.bars([(harmless(row["address"], 36), row["messages"], f"{row['messages']:,}") for row in top])
    if key == "protocols":
        names = [f"{row['proto']} {row['app_proto'] or 'not recognised'}" for row in top]
        return svg.bars([(name, row["bytes"], size(row["bytes"])) for name, row in zip(names, top, strict=True)])
    return ""


def _table(section: Section, rows: Sequence[Row]) -> Iterable[str]:
    refers = any("filter" in row for row in rows)
    yield '<div class="scroll"><table><thead><tr><th></th>'
    for column in section.columns:
        yield f"<th{' class=n' if column.number else ''}>{_text(column.title)}</th>"
    yield f"{'<th>where</th>' if refers else ''}</tr></thead><tbody>"
    for number, row in enumerate(rows[:MOST_ROWS], start=1):
        mark = section.marks(row)
        anchor = f"{section.key}-{number}"
        yield f'<tr id="{anchor}"{" class=marked" if mark else ""}><td><a href="#{anchor}">{number}</a>'
        yield f"{f'<br><b>{_text(mark)}</b>' if mark else ''}</td>"
        for column in section.columns:
            yield f"<td{' class=n' if column.number else ''}>{_cell(column, row)}</td>"
        yield f"{f'<td>{_where(row)}</td>' if refers else ''}</tr>"
    yield "</tbody></table></div>"


def _cell(column: Column, row: Row) -> str:
    files = column.files(row)
    links = [f'<a href="{_text(file)}">{number}</a>' for number, file in enumerate(files[:_MOST_FILES], start=1)]
    more = f" of {_text(column.text(row))}" if len(files) > _MOST_FILES else ""
    return f"{' '.join(links)}{more}" if files else _text(column.text(row))


def _attackers(rows: Sequence[Row]) -> Iterable[str]:
    for number, row in enumerate(rows[:MOST_ROWS], start=1):
        yield f'<h3 id="attackers-{number}">{_text(row["source"])}: {_text(row["reason"])}</h3>'
        yield '<div class="scroll"><table><thead><tr><th>from</th><th>to</th><th>what</th><th class=n>times</th>'
        yield "<th>server</th><th>did</th><th>where</th></tr></thead><tbody>"
        for action in row["actions"][:_MOST_ACTIONS]:
            cells = (moment(action["first_seen"]), moment(action["last_seen"]), action["kind"])
            yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells)
            yield f"<td class=n>{action['count']:,}</td><td>{_text(action['server'])}</td>"
            yield f"<td>{_text(action['text'])}</td><td>{_where(action)}</td></tr>"
        yield "</tbody></table></div>"


def _where(row: Row) -> str:
    """Where the finding's flow is: behind a fold, so that rows stay short; nothing if it rests on none."""
    if "filter" not in row:
        return ""
    parts = [
        moment(row["first_seen"]) if "first_seen" in row else "",
        f"file {row['file']}" if row.get("file") else "",
        f"frame {row['frame']}" if row.get("frame") else "",
        f"community id {row['community_id']}" if row.get("community_id") else "",
    ]
    lines = "".join(f"<div>{_text(part)}</div>" for part in parts if part)
    return f"<details><summary>open</summary>{lines}<code>{_text(row['filter'])}</code></details>"
