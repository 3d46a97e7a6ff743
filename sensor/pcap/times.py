"""Times as people write them: a moment, or how long ago."""

from datetime import datetime

from sensor.alerts.text import NS_PER_SECOND
from sensor.config.units import parse_duration


def moment_ns(text: str, now_ns: int) -> int:
    """Read `2h` (so long before now), `now`, `2026-11-22T07:46`, or the same with a zone; nanoseconds since 1970.

    Without a zone it is the machine's local time; a time of day alone is today's. ValueError says what is wrong.
    """
    if text == "now":
        return now_ns
    try:
        return now_ns - round(parse_duration(text) * NS_PER_SECOND)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(_with_date(text, now_ns))
    except ValueError:
        raise ValueError(f"{text!r} is no time: write 2h (ago), 07:46 (today) or 2026-11-22T07:46") from None
    return round(moment.timestamp() * 1_000_000) * 1000


def _with_date(text: str, now_ns: int) -> str:
    is_time_of_day = ":" in text and "-" not in text.split("+", maxsplit=1)[0]
    if not is_time_of_day:
        return text
    today = datetime.fromtimestamp(now_ns / NS_PER_SECOND).astimezone().date()
    return f"{today.isoformat()}T{text}"
