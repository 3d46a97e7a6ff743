//! `valid_until`: a date or an RFC 3339 time to nanoseconds since 1970.

use super::reason::{Reason, Refusal};

/// The time that never comes.
pub(super) const NEVER_NS: u64 = u64::MAX;

const SECONDS_PER_DAY: i64 = 86_400;

/// Nanoseconds since 1970-01-01T00:00:00Z from which on the entry no longer counts.
///
/// A date alone is valid to the end of that day, UTC. What lies before 1970 is 0; what a `u64` does not hold (from
/// the year 2554) is [`NEVER_NS`].
///
/// # Errors
/// [`Reason::NotATime`], also for a time without a zone: guessing one is wrong by half a day.
pub(super) fn parse_valid_until(text: &[u8]) -> Result<u64, Refusal> {
    parse(text).ok_or(Reason::NotATime.at(0))
}

fn parse(text: &[u8]) -> Option<u64> {
    let (date, time) = text.split_at_checked(10)?;
    let midnight = parse_date(date)? * SECONDS_PER_DAY;
    if time.is_empty() {
        return Some(nanoseconds(midnight + SECONDS_PER_DAY, 0));
    }
    let (clock, rest) = time.split_at_checked(9)?;
    let seconds = parse_clock(clock)?;
    let (fraction_ns, zone) = parse_fraction(rest)?;
    Some(nanoseconds(midnight + seconds - parse_zone(zone)?, fraction_ns))
}

/// `YYYY-MM-DD` to days since 1970-01-01.
fn parse_date(text: &[u8]) -> Option<i64> {
    let &[y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1] = text else { return None };
    let year = digits(&[y0, y1, y2, y3])?;
    let month = digits(&[m0, m1]).filter(|month| (1..=12).contains(month))?;
    let day = digits(&[d0, d1]).filter(|day| (1..=days_in_month(year, month)).contains(day))?;
    Some(days_since_1970(year, month, day))
}

/// `THH:MM:SS` to seconds; `t` and a space may stand for `T`, and 60 is a leap second (RFC 3339, 5.6 and 5.7).
fn parse_clock(text: &[u8]) -> Option<i64> {
    let &[b'T' | b't' | b' ', h0, h1, b':', m0, m1, b':', s0, s1] = text else { return None };
    let hour = digits(&[h0, h1]).filter(|hour| *hour < 24)?;
    let minute = digits(&[m0, m1]).filter(|minute| *minute < 60)?;
    let second = digits(&[s0, s1]).filter(|second| *second <= 60)?;
    Some(hour * 3600 + minute * 60 + second)
}

/// An optional `.digits` to nanoseconds, and what follows it.
fn parse_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return None;
    }
    let nanosecond_digits = (0..9).map(|index| if index < length { rest[index] } else { b'0' });
    let fraction_ns = nanosecond_digits.fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some((fraction_ns, &rest[length..]))
}

/// `Z` or `+HH:MM` to the seconds that local time is ahead of UTC.
fn parse_zone(text: &[u8]) -> Option<i64> {
    match *text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h0, h1, b':', m0, m1] => {
            let hour = digits(&[h0, h1]).filter(|hour| *hour < 24)?;
            let minute = digits(&[m0, m1]).filter(|minute| *minute < 60)?;
            let ahead = hour * 3600 + minute * 60;
            Some(if sign == b'-' { -ahead } else { ahead })
        }
        _ => None,
    }
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar; years count from March, so that the leap day ends one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let leap_days = shifted_year.div_euclid(4) - shifted_year.div_euclid(100) + shifted_year.div_euclid(400);
    shifted_year * 365 + leap_days + day_of_year - 719_468
}

fn nanoseconds(seconds: i64, fraction_ns: i64) -> u64 {
    let total = i128::from(seconds) * 1_000_000_000 + i128::from(fraction_ns);
    u64::try_from(total.max(0)).unwrap_or(NEVER_NS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_NS: u64 = 1_000_000_000;

    fn until(text: &str) -> Option<u64> {
        parse_valid_until(text.as_bytes()).ok()
    }

    #[test]
    fn a_time_is_read_with_zone_and_fraction() {
        // `date -u -d 2026-11-22T07:46:05Z +%s` prints 1795333565.
        assert_eq!(until("2026-11-22T07:46:05Z"), Some(1_795_333_565 * SECOND_NS));
        assert_eq!(until("2026-11-22t07:46:05z"), Some(1_795_333_565 * SECOND_NS));
        assert_eq!(until("2026-11-22 15:46:05+08:00"), Some(1_795_333_565 * SECOND_NS));
        assert_eq!(until("2026-11-22T04:16:05-03:30"), Some(1_795_333_565 * SECOND_NS));
        assert_eq!(until("2026-11-22T07:46:05.25Z"), Some(1_795_333_565 * SECOND_NS + 250_000_000));
        assert_eq!(until("2026-11-22T07:46:05.1234567899Z"), Some(1_795_333_565 * SECOND_NS + 123_456_789));
    }

    #[test]
    fn a_date_ends_with_its_day() {
        assert_eq!(until("1970-01-01"), Some(86_400 * SECOND_NS));
        assert_eq!(until("2024-02-29"), until("2024-03-01T00:00:00Z"));
        assert_eq!(until("2023-12-31"), until("2024-01-01T00:00:00Z"));
    }

    #[test]
    fn what_a_u64_does_not_hold_saturates() {
        assert_eq!(until("1969-12-31T23:59:59Z"), Some(0));
        assert_eq!(until("0000-01-01"), Some(0));
        assert_eq!(until("9999-12-31"), Some(NEVER_NS));
        assert!(until("2553-12-31").is_some_and(|ns| ns < NEVER_NS));
    }

    #[test]
    fn anything_else_is_refused() {
        let wrong = [
            "",
            "never",
            "2026",
            "2026-11",
            "2026-13-01",
            "2026-00-01",
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-11-22T07:46:05",
            "2026-11-22T07:46Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T07:60:00Z",
            "2026-11-22T07:46:61Z",
            "2026-11-22T07:46:05.Z",
            "2026-11-22T07:46:05+0800",
            "2026-11-22T07:46:05+24:00",
            "2026-11-22T07:46:05Zx",
            "22.11.2026",
            "+026-11-22",
        ];
        for text in wrong {
            assert_eq!(until(text), None, "{text}");
        }
    }
}
