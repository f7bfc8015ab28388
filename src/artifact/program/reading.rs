//! The stage that reads files to their end.

use rayon::iter::{
    IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator,
};

use super::{FileOptions, Hashing, content, fused};
use crate::artifact::Progress;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, EvidencePath};
use crate::host::program_file::{FileState, ProgramFile};

/// How files are read, and from where.
pub(super) struct Reading<'a> {
    pub(super) evidence: &'a dyn Evidence,
    pub(super) options: &'a FileOptions,
    pub(super) progress: &'a dyn Progress,
}

impl Reading<'_> {
    /// Reads the chosen files that are there, in parallel. Gives the certificate table of each file in their order, empty where
    /// it has none or was not read.
    pub(super) fn read(
        &self,
        files: &mut [ProgramFile],
        chosen: &[bool],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Vec<u8>> {
        let is_read = |file: &ProgramFile, chosen| chosen && file.state == FileState::Present;
        let all = files.iter().zip(chosen).filter(|(file, chosen)| is_read(file, **chosen));
        let sizes: Vec<u64> = all.map(|(file, _)| size(file)).collect();
        self.progress.found(sizes.len(), sizes.iter().copied().fold(0, u64::saturating_add));
        let read: Vec<_> = files
            .par_iter_mut()
            .zip(chosen.par_iter())
            .map(|(file, chosen)| {
                let mut table = Vec::new();
                let told = if is_read(file, *chosen) {
                    fused(file, |file| self.read_one(file, &mut table))
                } else {
                    file.unread = self.not_chosen(file);
                    Vec::new()
                };
                (told, table)
            })
            .collect();
        let (told, tables): (Vec<_>, Vec<_>) = read.into_iter().unzip();
        diagnostics.extend(told.into_iter().flatten());
        tables
    }

    fn read_one(&self, file: &mut ProgramFile, table: &mut Vec<u8>) -> Vec<Diagnostic> {
        let path = EvidencePath::new(&file.citation.artifact);
        let largest = self.options.largest;
        let recorded = self.evidence.recorded_hash(&path);
        let read = self
            .evidence
            .open(&path)
            .and_then(|mut bytes| content::read(bytes.as_mut(), largest, &file.path, recorded));
        self.progress.done(&path, size(file));
        match read {
            Ok(Some(contents)) => {
                file.content = Some(contents.content);
                *table = contents.certificates;
                Vec::new()
            }
            Ok(None) => {
                file.unread = Some(format!("it is larger than the limit of {}", bytes(largest)));
                Vec::new()
            }
            Err(error) => {
                file.unread = Some(format!("its bytes cannot be read: {error}"));
                vec![Diagnostic {
                    artifact: path.to_string(),
                    impact: Impact::Partial,
                    message: format!("its bytes cannot be read: {error}"),
                }]
            }
        }
    }

    /// Why a file that is there is not read.
    fn not_chosen(&self, file: &ProgramFile) -> Option<String> {
        let why = match self.options.hashing {
            Hashing::None => "no files were to be read",
            Hashing::Suspicious | Hashing::All => "no service that needs it is suspicious",
        };
        (file.state == FileState::Present).then(|| why.to_owned())
    }
}

fn size(file: &ProgramFile) -> u64 {
    file.record.as_ref().map_or(0, |record| record.metadata.size)
}

/// A number of bytes, in the largest unit that it is a multiple of.
fn bytes(count: u64) -> String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
        if count > 0 && count.trailing_zeros() >= shift {
            return format!("{} {unit}", count >> shift);
        }
    }
    format!("{count} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_said_in_units_that_fit() {
        for (count, expected) in [
            (512 << 20, "512 MiB"),
            (1 << 30, "1 GiB"),
            (1536, "1536 bytes"),
            (3 << 10, "3 KiB"),
            (0, "0 bytes"),
        ] {
            assert_eq!(bytes(count), expected);
        }
    }
}
