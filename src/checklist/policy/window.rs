//! Change windows: hours of the week, or one span of time.

use jiff::Timestamp;
use jiff::civil::Weekday;
use jiff::tz::Offset;

/// When changes may happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// Every week, at local hours of a fixed UTC offset (no daylight saving: the evidence is in UTC).
    Weekly {
        /// The days on which it begins.
        days: Vec<Weekday>,
        /// Minutes after midnight at which it begins.
        from: u32,
        /// Minutes after midnight before which it ends; not later than `from` means: on the next day.
        to: u32,
        /// The offset of these hours.
        offset: Offset,
    },
    /// Once.
    Span {
        /// First moment.
        from: Timestamp,
        /// Last moment.
        to: Timestamp,
    },
}

const DAY: u32 = 24 * 60;

impl Window {
    /// Whether that moment lies inside.
    pub fn contains(&self, time: Timestamp) -> bool {
        match self {
            Self::Span { from, to } => (*from..=*to).contains(&time),
            Self::Weekly { days, from, to, offset } => {
                let local = offset.to_datetime(time);
                let minute = u32::try_from(local.hour())
                    .unwrap_or(0)
                    .saturating_mul(60)
                    .saturating_add(u32::try_from(local.minute()).unwrap_or(0));
                let today = days.contains(&local.weekday());
                if from < to {
                    return today && (*from..*to).contains(&minute);
                }
                let yesterday = days.contains(&local.weekday().previous());
                today && minute >= *from || yesterday && minute < *to
            }
        }
    }
}

/// `22:00` as minutes after midnight; `24:00` is the end of the day.
pub(super) fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let sum = hours.checked_mul(60)?.checked_add(minutes)?;
    (minutes < 60 && sum <= DAY).then_some(sum)
}

/// `+01:00`, `-0500`, `Z`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(Offset::UTC);
    }
    let (sign, digits) = match text.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (-1, text.strip_prefix('-')?),
    };
    let digits = digits.replace(':', "");
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: i32 = digits.parse().ok()?;
    let minutes =
        number.checked_div(100)?.checked_mul(60)?.checked_add(number.checked_rem(100)?)?;
    Offset::from_seconds(minutes.checked_mul(60)?.checked_mul(sign)?).ok()
}

/// `mon`, `Monday`.
pub(super) fn weekday(text: &str) -> Option<Weekday> {
    const DAYS: [(&str, Weekday); 7] = [
        ("monday", Weekday::Monday),
        ("tuesday", Weekday::Tuesday),
        ("wednesday", Weekday::Wednesday),
        ("thursday", Weekday::Thursday),
        ("friday", Weekday::Friday),
        ("saturday", Weekday::Saturday),
        ("sunday", Weekday::Sunday),
    ];
    let lower = text.trim().to_lowercase();
    DAYS.into_iter()
        .find(|(name, _)| lower.len() >= 3 && name.starts_with(lower.as_str()))
        .map(|(_, day)| day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weekly_windows_run_over_midnight_and_keep_their_offset() {
        let window = Window::Weekly {
            days: vec![Weekday::Saturday],
            from: minutes("22:00").unwrap(),
            to: minutes("04:00").unwrap(),
            offset: offset("+01:00").unwrap(),
        };
        for (time, expected) in [
            ("2026-03-07T21:00:00Z", true),
            ("2026-03-07T20:59:59Z", false),
            ("2026-03-08T02:59:59Z", true),
            ("2026-03-08T03:00:00Z", false),
            ("2026-03-07T02:00:00Z", false),
        ] {
            assert_eq!(window.contains(time.parse().unwrap()), expected, "{time}");
        }
    }

    #[test]
    fn words_of_windows_are_read_strictly() {
        assert_eq!(minutes("24:00"), Some(1440));
        for wrong in ["24:01", "12:60", "noon", "", "1:2:3"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
        assert_eq!(offset("-0530").map(Offset::seconds), Some(-19_800));
        assert_eq!(offset("5"), None);
        assert_eq!(weekday("Sat"), Some(Weekday::Saturday));
        assert_eq!(weekday("s"), None);
        assert_eq!(weekday("satur!"), None);
    }
}
