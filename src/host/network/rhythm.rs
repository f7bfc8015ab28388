//! Whether contacts come at regular intervals, as those of an implant that asks for work do.

use jiff::{SignedDuration, Timestamp};

/// Contacts that follow the first of a group within this time are one contact: a page's worth of connections, or the
/// record of another log.
pub const BURST: SignedDuration = SignedDuration::from_secs(1);
/// The fewest intervals that are judged, eleven contacts.
pub const FEWEST_INTERVALS: usize = 10;
/// The shortest time that the intervals must fill (their number times their median) to be judged: downloads in pieces
/// are regular, too, and soon over.
pub const SHORTEST_SPAN: SignedDuration = SignedDuration::from_mins(5);
/// The largest dispersion of regular intervals, in thousandths.
pub const REGULAR: u32 = 150;

/// How regular a series of contacts is.
///
/// The statistic is the median absolute deviation of the intervals divided by their median (both medians are the mean
/// of the middle two for an even count), rounded down to thousandths: 0 is a clock. It does not mind a few outliers,
/// such as a host that slept. Below 0.150 a series counts as regular. Measured with 20,000 made series each: of series
/// with intervals at random (exponential) 0.25 % count as regular with 10 intervals and 0.01 % with 16; of timers with
/// 20 % jitter all, with 37 % jitter (a common setting of implants) 96 %, with 50 % jitter 62 %.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// The sample size: intervals between contacts.
    pub intervals: usize,
    /// Their median.
    pub median: SignedDuration,
    /// Their median absolute deviation, in thousandths of the median.
    pub dispersion: u32,
    /// The first contact.
    pub from: Timestamp,
    /// The last contact.
    pub to: Timestamp,
}

impl Rhythm {
    /// The rhythm of contacts at these times, in any order; `None` with too few, or within too short a time.
    pub fn of(times: &[Timestamp]) -> Option<Self> {
        let contacts = contacts(times);
        if contacts.len() <= FEWEST_INTERVALS {
            return None;
        }
        let pairs = contacts.iter().zip(contacts.iter().skip(1));
        let mut intervals: Vec<i128> =
            pairs.map(|(left, right)| right.duration_since(*left).as_nanos()).collect();
        let middle = median(&mut intervals)?;
        let filled = middle.saturating_mul(i128::try_from(intervals.len()).ok()?);
        if filled < SHORTEST_SPAN.as_nanos() {
            return None;
        }
        let mut deviations: Vec<i128> = intervals
            .iter()
            .map(|interval| interval.abs_diff(middle))
            .filter_map(|one| one.try_into().ok())
            .collect();
        let dispersion = median(&mut deviations)?.saturating_mul(1_000).checked_div(middle)?;
        Some(Self {
            intervals: intervals.len(),
            median: SignedDuration::from_nanos(i64::try_from(middle).ok()?),
            dispersion: u32::try_from(dispersion).unwrap_or(u32::MAX),
            from: *contacts.first()?,
            to: *contacts.last()?,
        })
    }

    /// Whether the intervals are regular.
    pub const fn is_regular(&self) -> bool {
        self.dispersion <= REGULAR
    }

    /// The sample, its median interval and its dispersion, in words.
    pub fn sentence(&self) -> String {
        format!(
            "{} intervals from {} to {}, median {}, dispersion {}.{:03}",
            self.intervals,
            crate::time::format_short(self.from),
            crate::time::format_short(self.to),
            seconds(self.median),
            self.dispersion / 1_000,
            self.dispersion % 1_000
        )
    }
}

/// A duration in seconds, to a tenth below ten.
pub fn seconds(duration: SignedDuration) -> String {
    let tenths = duration.as_millis() / 100;
    if tenths.abs() < 100 {
        let sign = if tenths < 0 { "-" } else { "" };
        format!("{sign}{}.{} s", tenths.abs() / 10, tenths.abs() % 10)
    } else {
        format!("{} s", duration.as_secs())
    }
}

/// The times in order, bursts taken as their first.
fn contacts(times: &[Timestamp]) -> Vec<Timestamp> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let mut contacts: Vec<Timestamp> = Vec::new();
    for time in sorted {
        if contacts.last().is_none_or(|last| time.duration_since(*last) > BURST) {
            contacts.push(time);
        }
    }
    contacts
}

/// The middle one, or the mean of the middle two; sorts the numbers.
fn median(numbers: &mut [i128]) -> Option<i128> {
    numbers.sort_unstable();
    let half = numbers.len() / 2;
    let upper = *numbers.get(half)?;
    if numbers.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *numbers.get(half.checked_sub(1)?)?;
    Some(lower.saturating_add(upper) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_772_452_800_000 + milliseconds).unwrap()
    }

    fn times(intervals: impl IntoIterator<Item = i64>) -> Vec<Timestamp> {
        let mut now = 0;
        let mut times = vec![at(0)];
        for interval in intervals {
            now += interval;
            times.push(at(now));
        }
        times
    }

    #[test]
    fn a_clock_has_no_dispersion() {
        let rhythm = Rhythm::of(&times([60_000; 10])).unwrap();
        assert_eq!((rhythm.intervals, rhythm.dispersion), (10, 0));
        assert_eq!(rhythm.median, SignedDuration::from_mins(1));
        assert!(rhythm.is_regular());
        assert_eq!(
            rhythm.sentence(),
            "10 intervals from 2026-03-02 12:00:00Z to 2026-03-02 12:10:00Z, median 60 s, dispersion 0.000"
        );
    }

    #[test]
    fn too_few_contacts_or_too_short_a_time_have_no_rhythm() {
        assert_eq!(Rhythm::of(&times([60_000; 9])), None);
        assert_eq!(Rhythm::of(&times([2_000; 100])), None);
        // Five downloads in ten pieces each, a day apart.
        let pieces = (0..49).map(|at| if at % 10 == 9 { 86_400_000 } else { 2_000 });
        assert_eq!(Rhythm::of(&times(pieces)), None);
        assert_eq!(Rhythm::of(&[]), None);
        assert!(Rhythm::of(&times([30_000; 10])).is_some());
    }

    #[test]
    fn the_statistic_is_as_stated() {
        // Intervals 50 to 59 s: the median is 54.5, the deviations are 0.5 twice, 1.5 twice, … 4.5 twice: 2.5.
        let rhythm = Rhythm::of(&times((50..60).map(|second| second * 1_000))).unwrap();
        assert_eq!(rhythm.median, SignedDuration::from_millis(54_500));
        assert_eq!(rhythm.dispersion, 45);
        // One night of sleep does not hide a clock.
        let slept = Rhythm::of(&times((0..12).map(|at| if at == 6 { 30_000_000 } else { 60_000 })));
        assert_eq!(slept.unwrap().dispersion, 0);
        // Doubling intervals are no clock.
        let doubling = Rhythm::of(&times((0..11).map(|at| 2_000 << at))).unwrap();
        assert!(!doubling.is_regular(), "{doubling:?}");
    }

    #[test]
    fn bursts_are_one_contact() {
        let mut all = Vec::new();
        for time in times([60_000; 10]) {
            for milliseconds in [0, 300, 1_000] {
                all.push(time.checked_add(SignedDuration::from_millis(milliseconds)).unwrap());
            }
        }
        all.reverse();
        let rhythm = Rhythm::of(&all).unwrap();
        assert_eq!((rhythm.intervals, rhythm.dispersion), (10, 0));
    }

    #[test]
    fn seconds_are_short() {
        for (milliseconds, expected) in
            [(0, "0.0 s"), (1_260, "1.2 s"), (9_999, "9.9 s"), (10_000, "10 s"), (-1_500, "-1.5 s")]
        {
            assert_eq!(seconds(SignedDuration::from_millis(milliseconds)), expected);
        }
    }
}
