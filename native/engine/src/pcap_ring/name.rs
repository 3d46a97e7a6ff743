//! The names of segments: `<interface>-<worker>-<UTC time>-<sequence>`, such as
//! `eth1-0-20261122T074605.123456Z-000001`.

use std::fmt;

const NS_PER_SECOND: u64 = 1_000_000_000;
const SECONDS_PER_DAY: u64 = 86_400;
/// Longest interface part in bytes; with the rest a name stays below NAME_MAX (255).
const INTERFACE_LIMIT: usize = 100;
/// `YYYYMMDDTHHMMSS.ffffffZ`
const TIME_LENGTH: usize = 23;

/// What a segment is called, without a suffix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SegmentName {
    /// Where the frames came from, as [`file_safe`] gives it.
    pub(crate) interface: String,
    /// Which worker stored them.
    pub(crate) worker: usize,
    /// Time of the first frame, nanoseconds since 1970-01-01 UTC; a name keeps microseconds.
    pub(crate) start_ns: u64,
    /// Place of the segment in the ring's order of creation.
    pub(crate) sequence: u64,
}

impl SegmentName {
    /// Reads a name without its suffix; `None` for a file that is not the ring's.
    pub(crate) fn parse(stem: &str) -> Option<Self> {
        // From the right, because an interface may have a hyphen in its name.
        let mut parts = stem.rsplitn(4, '-');
        let sequence = parts.next().filter(|digits| digits.len() >= 6)?;
        let start_ns = parse_time(parts.next()?)?;
        let worker = number(parts.next()?)?;
        let interface = parts.next().filter(|name| *name == file_safe(name))?;
        Some(Self {
            interface: interface.to_owned(),
            worker: usize::try_from(worker).ok()?,
            start_ns,
            sequence: number(sequence)?,
        })
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { interface, worker, start_ns, sequence } = self;
        write!(f, "{interface}-{worker}-{}-{sequence:06}", FileTime(*start_ns))
    }
}

/// The interface's name as a part of a file name: ASCII letters, digits, `-`, `_`, `.` and `@`, no dot in front.
pub(super) fn file_safe(interface: &str) -> String {
    let safe = |(place, letter): (usize, char)| match letter {
        'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '_' | '@' => letter,
        '.' if place > 0 => letter,
        _ => '_',
    };
    let name: String = interface.chars().enumerate().map(safe).take(INTERFACE_LIMIT).collect();
    if name.is_empty() { "_".to_owned() } else { name }
}

/// A time, nanoseconds since 1970-01-01 UTC, as names of files have it: with microseconds.
pub(crate) struct FileTime(pub(crate) u64);

impl fmt::Display for FileTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time_ns = self.0;
        let seconds = time_ns / NS_PER_SECOND;
        let (year, month, day) = civil_from_days(seconds / SECONDS_PER_DAY);
        let in_day = seconds % SECONDS_PER_DAY;
        let (hour, minute, second) = (in_day / 3600, in_day / 60 % 60, in_day % 60);
        let micros = time_ns % NS_PER_SECOND / 1000;
        write!(f, "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{micros:06}Z")
    }
}

fn parse_time(text: &str) -> Option<u64> {
    if text.len() != TIME_LENGTH || !text.is_ascii() {
        return None;
    }
    if (&text[8..9], &text[15..16], &text[22..]) != ("T", ".", "Z") {
        return None;
    }
    let field = |from: usize, to: usize| number(&text[from..to]);
    let (year, month, day) = (field(0, 4)?, field(4, 6)?, field(6, 8)?);
    let (hour, minute, second) = (field(9, 11)?, field(11, 13)?, field(13, 15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    seconds.checked_mul(NS_PER_SECOND)?.checked_add(field(16, 22)? * 1000)
}

/// Digits only: `u64::from_str` would take a plus sign, too.
fn number(digits: &str) -> Option<u64> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

// Both from Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": days since 1970-01-01 in the proleptic
// Gregorian calendar, counted in eras of 400 years that begin on 1 March.

fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day_of_year - (153 * from_march + 2) / 5 + 1)
}

fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = year - u64::from(month <= 2);
    let (era, year_of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_reads_as_documented() {
        let name =
            SegmentName { interface: "eth1".into(), worker: 0, start_ns: 1_795_333_565_123_456_789, sequence: 1 };
        assert_eq!(name.to_string(), "eth1-0-20261122T074605.123456Z-000001");
    }

    #[test]
    fn foreign_names_are_not_ours() {
        for stem in [
            "",
            "dump",
            "eth1-0-20261122T074605.123456Z",
            "eth1-0-20261122T074605.123456Z-00001",
            "eth1-0-20261122T074605.123456Z-+00001",
            "eth1-x-20261122T074605.123456Z-000001",
            "eth1-0-20261322T074605.123456Z-000001",
            "eth1-0-20261122T244605.123456Z-000001",
            "eth1-0-20261122 074605.123456Z-000001",
            "0-20261122T074605.123456Z-000001",
            ".eth1-0-20261122T074605.123456Z-000001",
            "eth1-0-20261122T07460é.12345Z-000001",
        ] {
            assert_eq!(SegmentName::parse(stem), None, "{stem}");
        }
    }

    #[test]
    fn interface_names_become_file_names() {
        assert_eq!(file_safe("eth1.20"), "eth1.20");
        assert_eq!(file_safe("../etc/passwd"), "_._etc_passwd");
        assert_eq!(file_safe(""), "_");
        assert_eq!(file_safe("Ethernet 2é"), "Ethernet_2_");
        assert_eq!(file_safe(&"x".repeat(400)).len(), INTERFACE_LIMIT);
    }

    proptest! {
        #[test]
        fn every_name_parses_back(interface in ".{0,20}", worker in 0usize..1000, start_us in 0u64..=u64::MAX / 1000,
                                  sequence: u64) {
            let name = SegmentName { interface: file_safe(&interface), worker, start_ns: start_us * 1000, sequence };
            prop_assert_eq!(SegmentName::parse(&name.to_string()), Some(name));
        }

        #[test]
        fn no_text_makes_it_fail(stem in "\\PC{0,60}") {
            let _ = SegmentName::parse(&stem);
        }

        #[test]
        fn later_names_sort_later(a in 0u64..=u64::MAX / 1000, b in 0u64..=u64::MAX / 1000) {
            let text = |start_us: u64| {
                SegmentName { interface: "e".into(), worker: 0, start_ns: start_us * 1000, sequence: 1 }.to_string()
            };
            prop_assert_eq!(a.cmp(&b), text(a).cmp(&text(b)));
        }
    }
}
