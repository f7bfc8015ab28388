//! What the file system says about a file besides its bytes.

use jiff::SignedDuration;

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, EvidencePath, Metadata, TimeSource, Times};
use crate::host::program_file::{FileRecord, FileState, Neighborhood, ProgramFile};

use super::{access, zone};

/// How many file records to each side are a file's neighbors.
const REACH: u64 = 16;
/// Files of one install are born within this time of each other.
const TOGETHER: SignedDuration = SignedDuration::from_mins(10);

/// Reads what the file system says of a file that is there. What could not be read is returned.
pub(super) fn read(evidence: &dyn Evidence, file: &mut ProgramFile) -> Vec<Diagnostic> {
    if file.state != FileState::Present {
        return Vec::new();
    }
    let path = EvidencePath::new(&file.citation.artifact);
    let mut told = Vec::new();
    let mut tell = |what: &str, error: std::io::Error| {
        told.push(Diagnostic {
            artifact: path.to_string(),
            impact: Impact::Partial,
            message: format!("{what} cannot be read: {error}"),
        });
    };
    let metadata = evidence.metadata(&path).unwrap_or_else(|error| {
        tell("what the file system says of it", error);
        Metadata::default()
    });
    let zone = zone::zone(evidence, &path, &metadata).unwrap_or_else(|error| {
        tell("the stream Zone.Identifier", error);
        None
    });
    // A stream has no owner of its own.
    let base = EvidencePath::new(path.as_str().split(':').next().unwrap_or_default());
    let base = if metadata.streams.is_empty() { &path } else { &base };
    let access = access::access(evidence, base).unwrap_or_else(|error| {
        tell("the security descriptor of it or its folder", error);
        None
    });
    let neighborhood = metadata.record.and_then(|_| neighborhood(evidence, &path, &metadata));
    file.record = Some(FileRecord { metadata, zone, access, neighborhood });
    told
}

fn neighborhood(
    evidence: &dyn Evidence,
    path: &EvidencePath,
    metadata: &Metadata,
) -> Option<Neighborhood> {
    let mut times = evidence.neighbors(path, REACH);
    let looked_at = times.len();
    times.sort();
    let middle = times.get(looked_at / 2).copied()?;
    let named = |times: &&Times| matches!(times.source, TimeSource::FileName(_));
    let own = metadata.times.iter().find(named).and_then(|times| times.created);
    let near = times
        .iter()
        .filter(|time| own.is_some_and(|own| time.duration_since(own).abs() <= TOGETHER));
    let born_together = near.count();
    Some(Neighborhood { looked_at, middle: Some(middle), born_together })
}
