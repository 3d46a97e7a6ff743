"""The reference page of alerts, generated from the table of rules."""

from sensor.alerts.incident import CLOSE_AFTER_NS, UPDATE_EVERY_NS
from sensor.alerts.policy import EVE_ALERTS_PER_INCIDENT, MOST_OPEN
from sensor.alerts.rules import RULES
from sensor.alerts.text import NS_PER_SECOND, span

_PAGE = """\
# Alerts

Generated from the table in `sensor/alerts/rules.py` by `make docs`; a test compares.

## Incidents

An incident is one rule, one internal host and one indicator (or remote end). Of two internal ends the host is the one
that is not listed; where neither end is internal it is the one that opened the connection, and the line names both.

- **OPEN** is written at the first hit, at once.
- **UPDATE** is written at once when the incident reaches a later stage (`attempt`: no answer or a refusal; `contact`:
  both ends have sent; `data`: both ends have sent payload), else every {update} at most, with the sums since OPEN
  and, where contacts come at a regular pace, the median interval between them.
- **CLOSE** is written when there was nothing new for {close}, whatever the rule. The state of the mirror
  (`mirror.silent`) and of lists (`sensor.list-stale`) closes as soon as it is well again.
- **ALIVE** comes every `alerts.heartbeat`: silence in the log means that nothing happened. It says how the mirror is:
  `ok`; `degraded`, frames were dropped or not stored in the last minute, or one of several interfaces is silent;
  `blind`, no interface shows a frame.

Open incidents survive a restart in `alerts.state`. At most {most:,} are open at once; then the one that was quiet for
longest is closed, which is counted (`spanwatch_alerts_overflowed_total`) and said in its CLOSE line. Times are packet
times, so that reading a capture file again gives the same lines.

In the lines *out* is from the host, *in* is to it; an arrow `<-` says that the remote end opened the connection. Every
string from the wire or from a list is escaped: control characters as `\\x..`, marks without a print of their own as
`\\u....`.

The event log gets one alert for each flow that hits, at most {eve} an incident, and one for each OPEN and UPDATE of the
bulk mail rules; `alert.context.incident` ties it to the line. Conditions of the sensor and the mirror are EVE
`anomaly` events there.

## Suppression

An entry of `alerts.suppress` matches by rule, host, indicator and remote end, until it expires. What it covers is
counted in `spanwatch_alerts_suppressed_total` and written to neither log. An incident that is open already is closed as
if nothing came any more.

## Rules

Names and numbers (`alert.signature_id`) are fixed for ever. A watchlist entry brings its own severity.

| rule | number | severity | meaning | in this version |
|---|---|---|---|---|
"""


_YES_NO = ("no", "yes")


def reference() -> str:
    """Give the page in Markdown."""
    page = _PAGE.format(
        update=span(UPDATE_EVERY_NS / NS_PER_SECOND),
        close=span(CLOSE_AFTER_NS / NS_PER_SECOND),
        most=MOST_OPEN,
        eve=EVE_ALERTS_PER_INCIDENT,
    )
    rows = (
        f"| `{rule.name}` | {rule.number} | {rule.severity.word} | {rule.meaning} | {_YES_NO[rule.raised]} |\n"
        for rule in RULES
    )
    return page + "".join(rows)
