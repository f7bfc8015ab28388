//! Windows time: FILETIME counts 100 ns ticks since 1601-01-01 UTC. Everything here is UTC.

use jiff::{SignedDuration, Timestamp};

/// Ticks (100 ns) between 1601-01-01 and 1970-01-01.
const UNIX_EPOCH_TICKS: i128 = 116_444_736_000_000_000;

/// A FILETIME as a timestamp; `None` for 0 (Windows' "never") and for times no calendar holds.
pub fn from_filetime(ticks: u64) -> Option<Timestamp> {
    if ticks == 0 {
        return None;
    }
    let nanoseconds = i128::from(ticks).checked_sub(UNIX_EPOCH_TICKS)?.checked_mul(100)?;
    Timestamp::from_nanosecond(nanoseconds).ok()
}

/// The FILETIME of a timestamp, in 100 ns ticks; 0 for times before 1601.
pub fn to_filetime(time: Timestamp) -> u64 {
    let ticks = time.as_nanosecond().div_euclid(100).saturating_add(UNIX_EPOCH_TICKS);
    u64::try_from(ticks).unwrap_or(0)
}

/// `2026-11-03T14:02:11.1234567Z`: seven digits, because the evidence has 100 ns ticks.
pub fn format(time: Timestamp) -> String {
    format!("{time:.7}")
}

/// `2026-11-03 14:02:11Z`: for people, to the second.
pub fn format_short(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// The distance between two times, whichever is first.
pub fn distance(left: Timestamp, right: Timestamp) -> SignedDuration {
    left.duration_since(right).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filetime_keeps_its_ticks() {
        let ticks = 132_223_104_000_000_007;
        let time = from_filetime(ticks).unwrap();
        assert_eq!(format(time), "2020-01-01T00:00:00.0000007Z");
        assert_eq!(format_short(time), "2020-01-01 00:00:00Z");
        assert_eq!(to_filetime(time), ticks);
        assert_eq!(from_filetime(0), None);
        assert_eq!(from_filetime(u64::MAX), None);
    }
}
