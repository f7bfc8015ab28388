//! A host of which more is to be said than was known when it was opened.

use std::io;

use jiff::Timestamp;

use crate::diagnostic::Diagnostic;
use crate::evidence::file_tree::Metadata;
use crate::evidence::{
    Content, Description, Evidence, EvidencePath, Extent, Listing, Pattern, RecordedHash,
    Whereabouts,
};

struct Remarked {
    host: Box<dyn Evidence>,
    description: Description,
}

/// The host with remarks added to its description.
pub(super) fn remarked(host: Box<dyn Evidence>, remarks: &[Diagnostic]) -> Box<dyn Evidence> {
    let mut description = host.describe().clone();
    let new = remarks.iter().filter(|remark| !host.describe().diagnostics.contains(remark));
    description.diagnostics.extend(new.cloned());
    if description == *host.describe() {
        return host;
    }
    Box::new(Remarked { host, description })
}

impl Evidence for Remarked {
    fn describe(&self) -> &Description {
        &self.description
    }

    fn find(&self, wanted: &Pattern) -> Listing {
        self.host.find(wanted)
    }

    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing {
        self.host.beside(path, suffixes)
    }

    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>> {
        self.host.open(path)
    }

    fn metadata(&self, path: &EvidencePath) -> io::Result<Metadata> {
        self.host.metadata(path)
    }

    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        self.host.deleted(names)
    }

    fn extent(&self) -> Extent {
        self.host.extent()
    }

    fn look_up(&self, path: &str, system_root: &str) -> Whereabouts {
        self.host.look_up(path, system_root)
    }

    fn security_descriptor(&self, path: &EvidencePath) -> io::Result<Option<Vec<u8>>> {
        self.host.security_descriptor(path)
    }

    fn neighbors(&self, path: &EvidencePath, reach: u64) -> Vec<Timestamp> {
        self.host.neighbors(path, reach)
    }

    fn damage(&self) -> Vec<Diagnostic> {
        self.host.damage()
    }

    fn recorded_hash(&self, path: &EvidencePath) -> Option<&RecordedHash> {
        self.host.recorded_hash(path)
    }
}
