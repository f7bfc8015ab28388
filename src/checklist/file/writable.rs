//! A file that ordinary users may exchange.

use super::super::basis::HIVE;
use super::super::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::ProgramFile;
use crate::host::program_file::{FileState, WriteAccess};

/// The weight where only the folder is open: the program itself cannot be exchanged, but a DLL may be put beside it.
const FOLDER_WEIGHT: i16 = 8;

pub(super) const WRITABLE: Indicator = Indicator {
    id: "V10",
    family: Family::D,
    checklist: Question::Account,
    question: "May ordinary users exchange its program or DLL, or put files beside it?",
    why: "Who may write the file runs what he likes as the service's account; a DLL beside a program is loaded before \
          that of System32.",
    innocent: "Careless vendors, in folders below C:\\ above all: their default lets every user write. It is a weakness \
               then, and worth reporting as one.",
    verify: &[
        "icacls <file> and icacls <folder> (live): M, W, F for Users, Everyone or Authenticated Users",
    ],
    attack: &[technique("T1574.010"), technique("T1574.001")],
    weight: 12,
    hard: false,
    needs: &[HIVE, Need::Files],
    sources: &["MITRE ATT&CK T1574.010; Microsoft, \"File Security and Access Rights\""],
    since: "0.1.0",
    check: &|scope| {
        let open = |file: &&ProgramFile, folder: bool| {
            access(file).is_some_and(|access| {
                !(if folder { &access.folder_writers } else { &access.writers }).is_empty()
            })
        };
        let mut files = super::present(scope).map(|(_, file)| file);
        if let Some(file) = files.find(|file| open(file, false)) {
            let who = access(file)?.writers.join(", ");
            let because = format!("{} may be exchanged by {who}", file.path);
            return Some(Hit::new(because, file.citation.clone()));
        }
        let mut files = super::present(scope).map(|(_, file)| file);
        let file = files.find(|file| open(file, true))?;
        let who = access(file)?.folder_writers.join(", ");
        let because = format!("Files may be put beside {} by {who}", file.path);
        Some(Hit::new(because, file.citation.clone()).weighing(FOLDER_WEIGHT))
    },
    examples: &[
        yes("users may change the program", || with(&["Users"], &["Users"])),
        yes("users may put a DLL beside it", || with(&[], &["Authenticated Users"])),
        no("only administrators may", || with(&[], &[])),
        no("the program is gone", || {
            Scene::service("Agent").program(|file| file.state = FileState::Missing)
        }),
        unknown("without a file system", || Scene::service("Agent")),
    ],
};

fn access(file: &ProgramFile) -> Option<&WriteAccess> {
    file.record.as_ref()?.access.as_ref()
}

fn with(writers: &[&str], folder_writers: &[&str]) -> Scene {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    let access = WriteAccess {
        owner: Some("S-1-5-32-544".to_owned()),
        writers: owned(writers),
        folder_writers: owned(folder_writers),
    };
    Scene::service("Agent").program(|file| {
        if let Some(record) = &mut file.record {
            record.access = Some(access);
        }
    })
}
