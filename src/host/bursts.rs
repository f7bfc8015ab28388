//! How crowded a moment was: installs by one account in quick succession, and keys written together.
//!
//! Computed once for a host, so that no check has to look at all services for each of them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::Role;
use super::event::Event;
use super::image_path::ImagePath;
use super::service::Service;

/// Installs within this time of the first one belong to one burst.
const BURST: SignedDuration = SignedDuration::from_mins(10);
/// How many make a burst.
const ENOUGH: usize = 5;
/// Records of one install (7045 and 4697) are logged within this time of each other.
const SAME_INSTALL: SignedDuration = SignedDuration::from_secs(5);

/// Services installed by one account within ten minutes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burst {
    /// The account's SID.
    pub sid: String,
    /// The first install.
    pub from: Timestamp,
    /// The last install.
    pub to: Timestamp,
    /// How many installs, at least five.
    pub installs: usize,
}

/// The crowded moments of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bursts {
    /// Sorted by SID, then time; bursts of one SID do not overlap.
    bursts: Vec<Burst>,
    /// Last-write times of all current service keys, sorted.
    writes: Vec<Timestamp>,
}

impl Bursts {
    /// Looks at every install and last-write time once.
    pub(super) fn of(services: &[Service], events: &[Event]) -> Self {
        let mut writes: Vec<Timestamp> = services.iter().filter_map(Service::last_write).collect();
        writes.sort_unstable();
        let mut by_sid: BTreeMap<&str, Vec<Timestamp>> = BTreeMap::new();
        for service in services.iter().filter(|service| !comes_in_waves(service)) {
            let mut last: Option<Timestamp> = None;
            for (at, event) in service.indexed_events(Role::Install, events) {
                let Some(actor) = service.actor_of(at) else { continue };
                let twin = last.is_some_and(|last| event.time.duration_since(last) <= SAME_INSTALL);
                last = Some(event.time);
                if let Some(sid) = actor.subject.sid.as_deref().filter(|_| !twin) {
                    by_sid.entry(sid).or_default().push(event.time);
                }
            }
        }
        let mut bursts = Vec::new();
        for (sid, mut times) in by_sid {
            times.sort_unstable();
            collect(sid, &times, &mut bursts);
        }
        Self { bursts, writes }
    }

    /// The burst that an install by that account at that time belongs to.
    pub fn install(&self, sid: &str, time: Timestamp) -> Option<&Burst> {
        let after =
            self.bursts.partition_point(|burst| (burst.sid.as_str(), burst.from) <= (sid, time));
        let last = self.bursts.get(after.checked_sub(1)?)?;
        (last.sid == sid && time <= last.to).then_some(last)
    }

    /// How many service keys were last written within `around` of `time`, on either side.
    pub fn written_around(&self, time: Timestamp, around: SignedDuration) -> usize {
        let (from, to) = (time.saturating_sub(around), time.saturating_add(around));
        let (Ok(from), Ok(to)) = (from, to) else { return 0 };
        let first = self.writes.partition_point(|write| *write < from);
        let end = self.writes.partition_point(|write| *write <= to);
        end.saturating_sub(first)
    }
}

fn collect(sid: &str, times: &[Timestamp], bursts: &mut Vec<Burst>) {
    let mut rest = times;
    while let Some(first) = rest.first() {
        let count = rest.partition_point(|time| time.duration_since(*first) <= BURST);
        let (together, later) = rest.split_at(count.min(rest.len()));
        if count >= ENOUGH {
            let to = *together.last().unwrap_or(first);
            bursts.push(Burst { sid: sid.to_owned(), from: *first, to, installs: count });
            rest = later;
        } else {
            rest = rest.get(1..).unwrap_or_default();
        }
    }
}

/// Drivers come with boots and updates, and the services of a product with its setup: neither is a burst.
pub(super) fn comes_in_waves(service: &Service) -> bool {
    let Some(image) = &service.image else { return false };
    let folders = [
        r"c:\program files",
        r"c:\program files (x86)",
        r"c:\windows\system32\drivers",
        r"c:\windows\system32\driverstore",
        r"c:\windows\microsoft.net",
    ];
    service.is_driver() || folders.iter().any(|folder: &&str| ImagePath::is_below(image, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn five_installs_in_ten_minutes_are_a_burst() {
        let burst = |seconds: &[i64]| {
            let times: Vec<Timestamp> = seconds.iter().map(|second| at(*second)).collect();
            let mut bursts = Vec::new();
            collect("S-1-5-18", &times, &mut bursts);
            bursts.iter().map(|burst| burst.installs).collect::<Vec<_>>()
        };
        assert_eq!(burst(&[]), [0_usize; 0]);
        assert_eq!(burst(&[0, 1, 2, 3]), [0_usize; 0]);
        assert_eq!(burst(&[0, 1, 2, 3, 600]), [5]);
        assert_eq!(burst(&[0, 601, 602, 603, 604, 605]), [5]);
        assert_eq!(burst(&[0, 1, 2, 3, 4, 5000, 5001, 5002, 5003, 5004]), [5, 5]);
    }

    #[test]
    fn writes_are_counted_on_both_sides() {
        let bursts = Bursts { bursts: Vec::new(), writes: vec![at(0), at(10), at(10), at(100)] };
        let around =
            |second, width| bursts.written_around(at(second), SignedDuration::from_secs(width));
        assert_eq!(around(10, 0), 2);
        assert_eq!(around(5, 5), 3);
        assert_eq!(around(500, 10), 0);
    }
}
