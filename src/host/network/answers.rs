//! Which names stand for which addresses, by the look-ups that a host recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::name;
use super::reach;
use crate::host::event::{Action, Event};

/// Names with the process ids that asked for each.
type Names = BTreeMap<String, BTreeSet<Option<u32>>>;

/// Every look-up of a host, by the address it gave.
#[derive(Debug, Default)]
pub(super) struct Answers<'a> {
    /// By computer and address.
    by_address: BTreeMap<(&'a str, IpAddr), Names>,
    /// The first look-up that each computer recorded.
    recorded_from: BTreeMap<&'a str, Timestamp>,
}

impl<'a> Answers<'a> {
    /// Reads the look-ups among events, which are in order of time.
    pub(super) fn of(events: &'a [Event]) -> Self {
        let mut answers = Self::default();
        for event in events {
            let Action::DnsQueried { process_id, query, answers: given, .. } = &event.action else {
                continue;
            };
            let computer = event.computer.as_str();
            answers.recorded_from.entry(computer).or_insert(event.time);
            for address in addresses(given) {
                let names = answers.by_address.entry((computer, address)).or_default();
                names.entry(name::fold(query)).or_default().insert(*process_id);
            }
        }
        answers
    }

    /// The names that gave this address, with the process ids that asked for each.
    pub(super) fn names(
        &self,
        computer: &'a str,
        address: IpAddr,
    ) -> impl Iterator<Item = (&String, &BTreeSet<Option<u32>>)> {
        self.by_address.get(&(computer, address)).into_iter().flatten()
    }

    /// Whether any look-up gave this address; `None` where none were recorded up to that time.
    pub(super) fn looked_up(
        &self,
        computer: &'a str,
        address: IpAddr,
        time: Timestamp,
    ) -> Option<bool> {
        if self.by_address.contains_key(&(computer, address)) {
            return Some(true);
        }
        let from = self.recorded_from.get(computer)?;
        (*from <= time).then_some(false)
    }
}

/// The addresses of Sysmon's `QueryResults`: `type:  5 edge.example;::ffff:192.0.2.1;`.
pub(super) fn addresses(results: &str) -> impl Iterator<Item = IpAddr> {
    results.split(';').filter_map(reach::parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_hold_addresses_among_other_records() {
        let of = |text| addresses(text).map(|one| one.to_string()).collect::<Vec<_>>();
        assert_eq!(
            of("type:  5 a.edge.example;::ffff:192.0.2.1;2001:db8::1;"),
            ["192.0.2.1", "2001:db8::1"]
        );
        assert_eq!(of("10.23.42.38;"), ["10.23.42.38"]);
        assert!(of("-").is_empty() && of("").is_empty() && of(";;;").is_empty());
    }
}
