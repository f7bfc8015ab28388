//! One number for a host, by which hosts can be put in order.

use std::collections::{BTreeMap, BTreeSet};

use super::{ESCALATE, NOTE, REVIEW, Ranked, Verdict};
use crate::host::Incident;
use crate::host::incident::Gravity;

/// From this score on something counts as one more: with one malicious service in 500 (−27 dB) it is as likely malicious
/// as not.
pub const ONE_MORE: i32 = 27;
/// What more of the like adds at most, in decibans.
pub const MOST_FOR_MORE: i32 = 12;

/// The score of a host in decibans: that of its worst service or incident, and 3 · log2(1 + n), rounded down and at most
/// [`MOST_FOR_MORE`], for n further ones from [`ONE_MORE`] on. Services of one incident are one. Never below 0: what
/// speaks for one service says nothing of the host.
pub fn of_host(incidents: &[Incident], ranked: &[Ranked<'_>]) -> i32 {
    let mut incident_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, incident) in incidents.iter().enumerate() {
        for name in &incident.services {
            incident_of.entry(name).or_insert(index);
        }
    }
    let mut best = 0;
    // What counts as one: an incident by its place, or a service that is in none by its name.
    let mut counted: BTreeSet<(Option<usize>, &str)> = BTreeSet::new();
    for one in ranked {
        best = best.max(one.score);
        // Many weak signs are what in-house software looks like: they add to no host.
        if one.score >= ONE_MORE && one.verdict >= Verdict::Review {
            let name = one.service.name.as_str();
            let incident = incident_of.get(name).copied();
            counted.insert((incident, if incident.is_some() { "" } else { name }));
        }
    }
    for (index, incident) in incidents.iter().enumerate() {
        let alone = by_itself(incident.gravity);
        best = best.max(alone);
        if alone >= ONE_MORE {
            counted.insert((Some(index), ""));
        }
    }
    best.saturating_add(for_more(counted.len().saturating_sub(1)))
}

/// What an incident counts whatever its services are: the score from which its verdict holds.
const fn by_itself(gravity: Gravity) -> i32 {
    match gravity {
        Gravity::Theirs => 0,
        Gravity::Unusual => NOTE,
        Gravity::Suspicious => REVIEW,
        Gravity::Severe => ESCALATE,
    }
}

/// 3 · log2(1 + n), rounded down: the logarithm of the third power, so that it stays a matter of whole numbers.
fn for_more(further: usize) -> i32 {
    let one_more = u128::try_from(further).unwrap_or(u128::MAX).saturating_add(1);
    let cube = one_more.saturating_mul(one_more).saturating_mul(one_more);
    i32::try_from(cube.ilog2()).unwrap_or(MOST_FOR_MORE).min(MOST_FOR_MORE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_of_the_like_adds_less_and_less() {
        let added: Vec<i32> = (0..=16).map(for_more).collect();
        assert_eq!(added, [0, 3, 4, 6, 6, 7, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12]);
        assert_eq!(for_more(usize::MAX), MOST_FOR_MORE);
    }
}
