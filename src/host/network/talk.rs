//! Who of the host talks to whom, for telling what only one service talks to.

use std::collections::{BTreeMap, BTreeSet};

use super::{Others, owner};

/// The programs that talked to each peer (an address or a name), with the services whose processes they were.
#[derive(Debug, Default)]
pub(super) struct Talk {
    by_peer: BTreeMap<String, BTreeSet<(String, Vec<usize>)>>,
}

impl Talk {
    /// Notes that a program talked to a peer.
    pub(super) fn note(&mut self, peer: &str, program: &str, services: &[usize]) {
        let entry = (program.to_owned(), services.to_vec());
        match self.by_peer.get_mut(peer) {
            Some(programs) => {
                programs.insert(entry);
            }
            None => {
                self.by_peer.insert(peer.to_owned(), BTreeSet::from([entry]));
            }
        }
    }

    /// The programs that talked to one of these peers and are not the service's: neither its processes nor its own
    /// programs in other hands, but for programs that many share.
    pub(super) fn others<'a>(
        &self,
        peers: impl Iterator<Item = &'a str>,
        service: usize,
        own: &BTreeSet<String>,
    ) -> Others {
        let mut programs: BTreeSet<&str> = BTreeSet::new();
        for (program, services) in peers.filter_map(|peer| self.by_peer.get(peer)).flatten() {
            if services.contains(&service) || own.contains(program) && !owner::is_shared(program) {
                continue;
            }
            programs.insert(program);
        }
        Others {
            count: programs.len(),
            programs: programs.into_iter().take(Others::NAMED).map(str::to_owned).collect(),
        }
    }
}
