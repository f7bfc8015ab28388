//! Who of the host talks to whom, for telling what only one service talks to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Others, owner};

/// Who talked to one peer (an address or a name). Where a thousand programs talk to it, each of their services asks who
/// the others are: an answer costs what is the service's own, not what is the peer's.
#[derive(Debug, Default)]
struct Peer {
    /// The programs, each with the services whose processes it was, once for each set of them.
    programs: BTreeMap<String, BTreeSet<Vec<usize>>>,
    /// The programs of each service.
    by_service: BTreeMap<usize, BTreeSet<String>>,
}

impl Peer {
    fn note(&mut self, program: &str, services: &[usize]) {
        let known = self.programs.get(program);
        if known.is_some_and(|known| known.contains(services)) {
            return;
        }
        self.programs.entry(program.to_owned()).or_default().insert(services.to_vec());
        for service in services {
            self.by_service.entry(*service).or_default().insert(program.to_owned());
        }
    }

    /// Whether the program talked to the peer for somebody else than that service.
    fn is_others(&self, program: &str, asking: &Asking<'_>) -> bool {
        let Some(entries) = self.programs.get(program) else { return false };
        let is_own = asking.own.contains(program) && !owner::is_shared(program);
        !is_own && entries.iter().any(|services| !services.contains(&asking.service))
    }

    /// Those of its programs that are the service's own only.
    fn own_of(&self, asking: &Asking<'_>) -> BTreeSet<&str> {
        let of_service = self.by_service.get(&asking.service).into_iter().flatten();
        of_service
            .chain(asking.own)
            .filter_map(|program| Some(self.programs.get_key_value(program)?.0.as_str()))
            .filter(|program| !self.is_others(program, asking))
            .collect()
    }
}

/// Who asks: a service and its own programs.
struct Asking<'a> {
    service: usize,
    own: &'a BTreeSet<String>,
}

/// The programs that talked to each peer, with the services whose processes they were.
#[derive(Debug, Default)]
pub(super) struct Talk {
    by_peer: BTreeMap<String, Peer>,
}

impl Talk {
    /// Notes that a program talked to a peer.
    pub(super) fn note(&mut self, peer: &str, program: &str, services: &[usize]) {
        if let Some(known) = self.by_peer.get_mut(peer) {
            known.note(program, services);
            return;
        }
        self.by_peer.entry(peer.to_owned()).or_default().note(program, services);
    }

    /// The programs that talked to one of these peers and are not the service's: neither its processes nor its own
    /// programs in other hands, but for programs that many share.
    pub(super) fn others<'a>(
        &self,
        peers: impl Iterator<Item = &'a str>,
        service: usize,
        own: &BTreeSet<String>,
    ) -> Others {
        let asking = Asking { service, own };
        let mut peers: Vec<&Peer> = peers.filter_map(|peer| self.by_peer.get(peer)).collect();
        // Of the peer that most talk to only what is the service's is looked at; those with few are walked over.
        peers.sort_by_key(|peer| std::cmp::Reverse(peer.programs.len()));
        let Some((most, few)) = peers.split_first() else { return Others::default() };
        let not_counted = most.own_of(&asking);
        let is_told =
            |program: &str| most.programs.contains_key(program) && !not_counted.contains(program);
        let more: BTreeSet<&str> = few
            .iter()
            .flat_map(|peer| peer.programs.keys().map(move |program| (peer, program.as_str())))
            .filter(|(peer, program)| !is_told(program) && peer.is_others(program, &asking))
            .map(|(_, program)| program)
            .collect();
        let told = most.programs.len().saturating_sub(not_counted.len());
        let first = most.programs.keys().map(String::as_str).filter(|one| is_told(one));
        let named: BTreeSet<&str> =
            first.take(Others::NAMED).chain(more.iter().copied().take(Others::NAMED)).collect();
        Others {
            count: told.saturating_add(more.len()),
            programs: named.into_iter().take(Others::NAMED).map(str::to_owned).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_are_counted_once_over_all_peers_and_without_oneself() {
        let mut talk = Talk::default();
        for (peer, program, services) in [
            ("a", "c:\\x.exe", &[1_usize] as &[usize]),
            ("a", "c:\\x.exe", &[1, 2]),
            ("a", "c:\\y.exe", &[]),
            ("a", "c:\\z.exe", &[2]),
            ("a", "c:\\z.exe", &[2]),
            ("b", "c:\\y.exe", &[3]),
            ("b", "c:\\w.exe", &[1]),
            ("b", "c:\\windows\\svchost.exe", &[1]),
            ("c", "c:\\x.exe", &[2]),
        ] {
            talk.note(peer, program, services);
        }
        let none = BTreeSet::new();
        let own = BTreeSet::from(["c:\\y.exe".to_owned(), "c:\\windows\\svchost.exe".to_owned()]);
        for (peers, service, own, expected) in [
            (&["a"] as &[&str], 9, &none, &["c:\\x.exe", "c:\\y.exe", "c:\\z.exe"] as &[&str]),
            (&["a"], 1, &none, &["c:\\y.exe", "c:\\z.exe"]),
            (&["a"], 2, &none, &["c:\\x.exe", "c:\\y.exe"]),
            (&["a"], 9, &own, &["c:\\x.exe", "c:\\z.exe"]),
            (&["a", "c"], 1, &none, &["c:\\x.exe", "c:\\y.exe", "c:\\z.exe"]),
            (&["b"], 9, &own, &["c:\\w.exe", "c:\\windows\\svchost.exe"]),
            (&["d"], 9, &none, &[]),
        ] {
            let others = talk.others(peers.iter().copied(), service, own);
            assert_eq!(
                others.programs,
                expected.iter().take(Others::NAMED).copied().collect::<Vec<_>>(),
                "{peers:?} {service}"
            );
            assert_eq!(others.count, expected.len(), "{peers:?} {service}");
        }
    }
}
