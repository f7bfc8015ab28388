//! Where the bytes of a stream are on the volume.
//!
//! Layout of mapping pairs: Linux-NTFS project, "Data runs".

use std::io;
use std::sync::Arc;

use super::bytes::{damaged, index};
use crate::evidence::source::{SharedSource, Source};

/// More pieces than NTFS lets a file have.
const MOST_RUNS: usize = 2_000_000;

/// Where a part of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On the volume, at that offset in bytes.
    Volume(u64),
    /// Nowhere: it was never written and reads as zeros.
    Hole,
    /// Not known: the record that says so is damaged or missing.
    Lost,
}

/// A part of a stream that is in one piece. Offsets and lengths are in bytes.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u64,
    length: u64,
    place: Place,
}

/// The parts of a stream in the order of their offsets.
#[derive(Debug, Clone, Default)]
pub(super) struct Runs(Vec<Run>);

impl Runs {
    /// Adds the runs of mapping pairs that begin at cluster `first` of the stream. Returns how many clusters
    /// they cover; what comes after a pair that makes no sense is lost.
    pub(super) fn add(
        &mut self,
        pairs: &[u8],
        first: u64,
        cluster: u64,
        may_have_holes: bool,
    ) -> u64 {
        let (mut covered, mut lcn, mut rest) = (0_u64, 0_i64, pairs);
        while let Some((pair, after)) = split_pair(rest) {
            let (clusters, delta) = pair;
            rest = after;
            let run = (|| {
                let place = match delta {
                    Some(delta) => {
                        lcn = lcn.checked_add(delta)?;
                        let at = u64::try_from(lcn).ok().and_then(|lcn| lcn.checked_mul(cluster));
                        at.map_or(Place::Lost, Place::Volume)
                    }
                    None if may_have_holes => Place::Hole,
                    None => Place::Lost,
                };
                let start = first.checked_add(covered)?.checked_mul(cluster)?;
                let length = clusters.checked_mul(cluster)?;
                start.checked_add(length)?;
                covered = covered.checked_add(clusters)?;
                Some(Run { start, length, place })
            })();
            let Some(run) = run.filter(|_| self.0.len() < MOST_RUNS) else { break };
            self.0.push(run);
        }
        covered
    }

    /// To be called when runs were not added in the order of the stream.
    pub(super) fn sort(&mut self) {
        self.0.sort_by_key(|run| run.start);
    }

    /// Where the byte at an offset is, and how many bytes from there on lie in the same piece.
    pub(super) fn at(&self, offset: u64) -> (Place, u64) {
        let after = self.0.partition_point(|run| run.start <= offset);
        let next = self.0.get(after).map_or(u64::MAX, |run| run.start).saturating_sub(offset);
        let run = after.checked_sub(1).and_then(|before| self.0.get(before));
        let Some(run) = run else { return (Place::Lost, next) };
        let into = offset.saturating_sub(run.start);
        match run.length.checked_sub(into) {
            None | Some(0) => (Place::Lost, next),
            Some(left) => {
                let place = match run.place {
                    Place::Volume(at) => at.checked_add(into).map_or(Place::Lost, Place::Volume),
                    other => other,
                };
                (place, left.min(next))
            }
        }
    }
}

/// A number of clusters, and how far they are from the run before; absent for a hole.
type Pair = (u64, Option<i64>);

fn split_pair(bytes: &[u8]) -> Option<(Pair, &[u8])> {
    let (header, rest) = bytes.split_first()?;
    let (count, rest) = rest.split_at_checked(usize::from(header & 0x0f))?;
    let (delta, rest) = rest.split_at_checked(usize::from(header >> 4))?;
    let clusters = u64::try_from(signed(count)?).ok().filter(|clusters| *clusters > 0)?;
    let delta = if delta.is_empty() { None } else { Some(signed(delta)?) };
    Some(((clusters, delta), rest))
}

/// One to eight bytes as a signed number.
fn signed(bytes: &[u8]) -> Option<i64> {
    let last = *bytes.last()?;
    let mut wide = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
    wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(wide))
}

/// A stream that is kept as it is, perhaps with holes.
pub(super) struct Extents {
    pub(super) volume: SharedSource,
    pub(super) runs: Arc<Runs>,
    pub(super) size: u64,
    /// What lies beyond was never written: it reads as zeros, whatever the volume holds there.
    pub(super) valid: u64,
}

impl Source for Extents {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let (place, left) = self.runs.at(offset);
        let is_valid = offset < self.valid;
        let end = if is_valid { self.valid.min(self.size) } else { self.size };
        let wanted = buffer.len().min(index(left.min(end.saturating_sub(offset))));
        let buffer = buffer.get_mut(..wanted).unwrap_or_default();
        match place {
            Place::Lost => Err(damaged(format!("where byte {offset} is kept is not known"))),
            Place::Volume(at) if is_valid => match self.volume.read_at(at, buffer)? {
                0 => Err(damaged(format!("byte {offset} would lie outside the volume"))),
                count => Ok(count),
            },
            Place::Volume(_) | Place::Hole => {
                buffer.fill(0);
                Ok(wanted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::source::{MemorySource, read_up_to};

    #[test]
    fn mapping_pairs_become_runs() {
        let mut runs = Runs::default();
        // 2 clusters at 5, a hole of 3, 1 cluster at 3 (5 - 2).
        assert_eq!(runs.add(&[0x11, 2, 5, 0x01, 3, 0x11, 1, 0xfe, 0], 0, 10, true), 6);
        for (offset, place, left) in [
            (0, Place::Volume(50), 20),
            (19, Place::Volume(69), 1),
            (20, Place::Hole, 30),
            (50, Place::Volume(30), 10),
            (60, Place::Lost, u64::MAX - 60),
        ] {
            assert_eq!(runs.at(offset), (place, left), "{offset}");
        }
    }

    #[test]
    fn pairs_without_sense_end_the_runs() {
        for (pairs, clusters) in [
            (&[0x11_u8, 2][..], 0),
            (&[0x11, 0, 5], 0),
            (&[0x11, 0xff, 5], 0),
            (&[0x19, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 0),
            (&[0x11, 2, 5, 0x18, 0, 0, 0, 0, 0, 0, 0, 0x7f, 1], 2),
            (&[], 0),
        ] {
            assert_eq!(Runs::default().add(pairs, 0, 4096, true), clusters, "{pairs:?}");
        }
        let mut runs = Runs::default();
        runs.add(&[0x11, 1, 0x80], 0, 10, true);
        assert_eq!(runs.at(0), (Place::Lost, 10), "before the volume");
        let mut runs = Runs::default();
        runs.add(&[0x01, 1], 0, 10, false);
        assert_eq!(runs.at(0), (Place::Lost, 10), "a hole where there can be none");
    }

    #[test]
    fn what_was_never_written_reads_as_zeros() {
        let mut runs = Runs::default();
        runs.add(&[0x11, 2, 1], 0, 4, true);
        let volume: SharedSource = Arc::new(MemorySource(b"0123456789".to_vec()));
        let mut extents = Extents { volume, runs: Arc::new(runs), size: 7, valid: 5 };
        let mut buffer = [9; 16];
        assert_eq!(read_up_to(&extents, 1, &mut buffer).unwrap(), 6);
        assert_eq!(&buffer[..6], b"5678\0\0");
        extents.size = 9;
        assert!(extents.read_at(8, &mut buffer).is_err());
        extents.volume = Arc::new(MemorySource(b"0123".to_vec()));
        assert!(extents.read_at(0, &mut buffer).is_err());
    }
}
