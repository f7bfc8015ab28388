//! Policies that are files: App Control (WDAC) and `AppLocker`. That they are there is all that is said of them.

use crate::evidence::{Evidence, Magic, Pattern, Place as FilePlace};
use crate::host::posture::knowledge::{APPLICATION_RULES, CODE_INTEGRITY};
use crate::host::posture::{Effect, Known};
use crate::host::{Citation, Fact, Place, Provenance};

/// A kind of policy file.
struct PolicyFile {
    known: &'static Known,
    pattern: Pattern,
}

/// Where Windows keeps them (Microsoft Learn: "Deploy App Control policies"; "How `AppLocker` works").
const POLICY_FILES: [PolicyFile; 2] = [
    PolicyFile {
        known: &CODE_INTEGRITY,
        pattern: Pattern {
            // They have no common first bytes; a place in a Windows tree is enough.
            magic: Magic::Hive,
            places: &[
                FilePlace::current("System32/CodeIntegrity/SiPolicy.p7b"),
                FilePlace::current("System32/CodeIntegrity/CIPolicies/Active/*.cip"),
            ],
        },
    },
    PolicyFile {
        known: &APPLICATION_RULES,
        pattern: Pattern {
            magic: Magic::Hive,
            places: &[FilePlace::current("System32/AppLocker/*.AppLocker")],
        },
    },
];

/// The policy files of the current state. Their absence says nothing: most collections do not take them.
pub(super) fn find(evidence: &dyn Evidence) -> Vec<Fact> {
    if evidence.describe().windows.is_empty() {
        return Vec::new();
    }
    let mut facts = Vec::new();
    for kind in &POLICY_FILES {
        let found = evidence.find(&kind.pattern).found;
        for file in found.into_iter().filter(|file| file.history.is_none()) {
            let citation = Citation {
                artifact: file.path.shared(),
                place: Place::File,
                provenance: Provenance::Live,
            };
            let state = format!("policy file present, {} bytes; not read", file.size);
            facts.push(Fact::Posture(kind.known.found(state, Effect::Neutral, citation)));
        }
    }
    facts
}
