"""Times in the text of a notice, Chinese or English, and the window that they give."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from sensor.alerts.text import NS_PER_SECOND
from sensor.hunt.window import Window

MARGIN_SECONDS = 600
"""Clocks of two organisations differ, and notices round."""

_MOST_TIMES = 500
_NOON = 12
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = r"(?P<word>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_NUMERIC_DATE = r"(?P<year>20\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
_CHINESE_DATE = r"(?:(?P<year>20\d\d)\s?年\s?)?(?P<month>\d{1,2})\s?月\s?(?P<day>\d{1,2})\s?[日号]"
_DAY_FIRST = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[\s-]{_MONTH}[\s,-]+(?P<year>20\d\d)"
_MONTH_FIRST = rf"{_MONTH}\s(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s(?P<year>20\d\d)"
_DATES = tuple(
    re.compile(rf"(?<![\d.]){date}", re.IGNORECASE)
    for date in (rf"{_NUMERIC_DATE}(?!\d)", _CHINESE_DATE, rf"{_DAY_FIRST}(?!\d)", rf"{_MONTH_FIRST}(?!\d)")
)
_CLOCK = re.compile(
    r"(?<![\d:.])(?P<half>上午|下午|凌晨|早上|中午|晚上|晚)?\s?(?P<hour>[01]?\d|2[0-4])(?:\s?[时点]\s?(?:(?P<cmin>[0-5]?\d)\s?分?)?"
    r"(?:\s?(?P<csec>[0-5]?\d)\s?秒)?|:(?P<min>[0-5]\d)(?::(?P<sec>[0-5]\d)(?:[.,]\d{1,9})?)?)(?![\d:])"
    r"\s?(?P<ampm>[ap]\.?m\b\.?)?"
    r"\s?\(?(?P<zone>Z\b|(?:UTC|GMT)?\s?[+-](?:1[0-4]|0?\d)(?::?[0-5]\d)?(?![\d-])|UTC\b|GMT\b|CST\b)?",
    re.IGNORECASE,
)
_OFFSET = re.compile(r"([+-])\s?(\d{1,2}):?(\d{2})?$")
_BEIJING = re.compile(r"北京时间|东八区|China Standard Time|Beijing time|(?:UTC|GMT)\s?\+\s?0?8", re.IGNORECASE)
_UTC = re.compile(
    r"世界时|协调世界时|UTC\s?时间|时区\s?:?\s?UTC|times?[^.\n]{0,40}\b(?:UTC|GMT)\b|\b(?:UTC|GMT)\s?times?\b|\((?:UTC|GMT)\)",
    re.IGNORECASE,
)
_OF_THE_LETTER = re.compile(
    r"发布|印发|签发|发文|报送|通报(?:时间|日期)|发送时间|编制|截止|反馈|issued|published|date of (?:notice|report)|"
    r"report(?:ed)? (?:date|on)|^\s*date\s*:|deadline|no later than|reply by|before|due",
    re.IGNORECASE,
)
_BEFORE = re.compile(r"\s*(?:之前|以前|前)")
_CONTEXT = 24


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of the text, from its beginning to its end: a minute, or a day where no time of day stands."""

    text: str
    first: datetime
    last: datetime
    has_clock: bool


@dataclass(frozen=True, slots=True)
class Times:
    """What a text says of time: the moments that count, others, and how it was understood."""

    taken: list[Moment]
    passed_over: list[Moment]
    zone: str

    @property
    def window(self) -> Window | None:
        """From the first to the last moment, with a margin on both sides; None without any."""
        if not self.taken:
            return None
        first = min(moment.first for moment in self.taken) - timedelta(seconds=MARGIN_SECONDS)
        last = max(moment.last for moment in self.taken) + timedelta(seconds=MARGIN_SECONDS)
        return Window(max(0, _ns(first)), max(0, _ns(last)))


def read_times(text: str, now: datetime) -> Times:
    """Find the times that say when something happened; `now` has the zone of times that name none."""
    zone, name = _zone_of(text)
    taken: list[Moment] = []
    passed_over: list[Moment] = []
    for line in text.splitlines():
        for moment, is_letters in _moments(line, zone, now):
            is_future = moment.first > now + timedelta(days=1)
            (passed_over if is_letters or is_future else taken).append(moment)
            if len(taken) + len(passed_over) >= _MOST_TIMES:
                break
    if any(moment.has_clock for moment in taken):
        # Beside exact times a bare date is that of the letter.
        passed_over += [moment for moment in taken if not moment.has_clock]
        taken = [moment for moment in taken if moment.has_clock]
    return Times(taken, passed_over, name)


def _zone_of(text: str) -> tuple[tzinfo | None, str]:
    """Give the zone that the text names for all its times, and what to say of it."""
    if _BEIJING.search(text):
        return timezone(timedelta(hours=8)), "UTC+8, as the text says"
    if _UTC.search(text):
        return UTC, "UTC, as the text says"
    return None, "local to this machine, where the text says nothing else"


def _moments(line: str, zone: tzinfo | None, now: datetime) -> Iterator[tuple[Moment, bool]]:
    """Give the moments of a line, each time of day with the date before it, or behind where none is before."""
    dates = sorted(_dates(line, now), key=lambda date: date[0].start())
    clocks = [found for found in _CLOCK.finditer(line) if not any(_overlap(found, date) for date, _ in dates)]
    zones = _zones(clocks)
    used: set[int] = set()
    for found, own_zone in zip(clocks, zones, strict=True) if dates else ():
        before = [place for place, (date, _) in enumerate(dates) if date.end() <= found.start()]
        place = before[-1] if before else 0
        used.add(place)
        date, day = dates[place]
        text = line[date.start() : found.end()] if before else f"{date[0]} {found[0]}"
        moment = _at(day, found, own_zone or zone or now.tzinfo)
        ends = moment + timedelta(minutes=1)
        yield Moment(text.strip(" ("), moment, ends, has_clock=True), _is_letters(line, date)
    for place, (date, day) in enumerate(dates):
        if place not in used:
            start = day.replace(tzinfo=zone or now.tzinfo)
            yield Moment(date[0], start, start + timedelta(days=1), has_clock=False), _is_letters(line, date)


def _dates(line: str, now: datetime) -> Iterator[tuple[re.Match[str], datetime]]:
    for pattern in _DATES:
        for found in pattern.finditer(line):
            groups = found.groupdict()
            month = groups.get("month") or _MONTHS.index(groups["word"].lower()) + 1
            year = int(groups["year"] or now.year)
            try:
                day = datetime(year, int(month), int(found["day"]))  # noqa: DTZ001  # the zone comes with the time
                if not groups["year"] and day.replace(tzinfo=now.tzinfo) > now:
                    day = day.replace(year=year - 1)
            except ValueError:
                continue
            yield found, day


def _overlap(one: re.Match[str], other: re.Match[str]) -> bool:
    return one.start() < other.end() and other.start() < one.end()


def _zones(clocks: list[re.Match[str]]) -> list[tzinfo | None]:
    """Give the zone of each time of day; one that names none has that of the next one in its line."""
    zones: list[tzinfo | None] = []
    following: tzinfo | None = None
    for clock in reversed(clocks):
        following = _own_zone(clock["zone"]) or following
        zones.append(following)
    return zones[::-1]


def _at(day: datetime, clock: re.Match[str], zone: tzinfo | None) -> datetime:
    hour = int(clock["hour"])
    half = (clock["half"] or "") + (clock["ampm"] or "").lower()
    if half.startswith(("下午", "晚", "p")) and hour < _NOON:
        hour += _NOON
    elif half.startswith(("凌晨", "a")) and hour == _NOON:
        hour = 0
    minute = int(clock["min"] or clock["cmin"] or 0)
    second = int(clock["sec"] or clock["csec"] or 0)
    return (day + timedelta(hours=hour, minutes=minute, seconds=second)).replace(tzinfo=zone)


def _own_zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    found = _OFFSET.search(text.strip())
    if found is not None:
        offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
        return timezone(offset if found[1] == "+" else -offset)
    # In notices of China CST is its own time.
    return timezone(timedelta(hours=8)) if text.upper() == "CST" else UTC


def _is_letters(line: str, date: re.Match[str]) -> bool:
    """Whether a date is that of the letter or of its answer, by the words around it."""
    before = line[max(0, date.start() - _CONTEXT) : date.start()]
    return bool(_OF_THE_LETTER.search(before)) or bool(_BEFORE.match(line, date.end()))


def _ns(moment: datetime) -> int:
    return int(moment.timestamp()) * NS_PER_SECOND
