//! The record of a deleted file where the file is missing.

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::evidence::Metadata;
use crate::host::program_file::{FileRecord, FileState};
use crate::host::{Citation, Place, Provenance};
use crate::text::same_name;

pub(super) const DELETED: Indicator = Indicator {
    id: "V13",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Was its missing program deleted so lately that the file record still bears its name?",
    why: "NTFS gives the record of a deleted file to the next new file. Where it is still there, the program was \
          deleted not long ago, and its bytes may be on the disk.",
    innocent: "Software that was uninstalled or updated in the last days.",
    verify: &[
        "svctriage file <image> '$MFT/<record>': the record, its times, and whether its bytes can be read",
        "fls -rd or MFTECmd: other files deleted at that time",
    ],
    attack: &[technique("T1070.004")],
    weight: 4,
    hard: false,
    needs: &[HIVE, Need::Files],
    sources: &["Linux-NTFS project, file record: the flag \"in use\"; a judgement for the weight"],
    since: "0.1.0",
    check: &|scope| {
        let missing = super::missing(scope);
        let (file, (citation, record)) = missing.iter().find_map(|(_, file)| {
            let own = |(_, record): &&(Citation, FileRecord)| is_path(&record.metadata, &file.path);
            Some((file, file.deleted.iter().find(own)?))
        })?;
        let number = record.metadata.record.unwrap_or_default();
        let because = format!("{} was deleted: file record {number} bears its name", file.path);
        Some(Hit::new(because, citation.clone()).and(file.citation.clone()))
    },
    examples: &[
        yes("its record is free, with its path", || gone("Program Files/Contoso/Agent.exe")),
        no("a file of that name was deleted elsewhere", || gone("Users/anna/Agent.exe")),
        no("missing without a trace", || {
            Scene::service("Agent").program(|file| file.state = FileState::Missing)
        }),
        unknown("without a file system", || Scene::service("Agent")),
    ],
};

/// Whether a record's file was at that path. A folder that was deleted with it is known by its number only.
fn is_path(metadata: &Metadata, path: &str) -> bool {
    let below = path.split_once(":\\").map_or(path, |(_, below)| below).replace('\\', "/");
    metadata.names.iter().any(|name| match name.strip_prefix("$MFT/") {
        Some(rest) => rest.split_once('/').is_some_and(|(_, rest)| {
            let (below, rest) = (crate::text::fold(&below), crate::text::fold(rest));
            below.strip_suffix(&rest).is_some_and(|start| start.is_empty() || start.ends_with('/'))
        }),
        None => same_name(name, &below),
    })
}

/// A service whose program is missing, and a deleted file of that path.
fn gone(path: &str) -> Scene {
    let names = vec![path.to_owned()];
    let metadata = Metadata { names, record: Some(4711), is_deleted: true, ..Metadata::default() };
    let citation = Citation {
        artifact: "$MFT/4711".into(),
        place: Place::File,
        provenance: Provenance::Recovered,
    };
    Scene::service("Agent").program(|file| {
        file.state = FileState::Missing;
        file.deleted = vec![(citation, FileRecord { metadata, ..FileRecord::default() })];
    })
}
