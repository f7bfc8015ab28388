//! A file that was born alone when its service was installed.

use jiff::{SignedDuration, Timestamp};

use super::super::basis::INSTALL_LOGS;
use super::super::staging::{installed, no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::evidence::TimeSource;
use crate::host::Role;
use crate::host::event::Action;
use crate::host::image_path::leaf;
use crate::host::program_file::{Neighborhood, ProgramFile};
use crate::time::format_short;

/// A file this long before or after the install belongs to it.
const NEAR: SignedDuration = SignedDuration::from_mins(10);
/// So many neighbors of the same minutes are an installer's work.
const INSTALLED_TOGETHER: usize = 4;
/// Neighbors that must be known before anything is said of them.
const KNOWN: usize = 8;
/// What writes files for installers.
const INSTALLERS: [&str; 6] = [
    "drvinst.exe",
    "msiexec.exe",
    "poqexec.exe",
    "tiworker.exe",
    "trustedinstaller.exe",
    "wusa.exe",
];

pub(super) const BORN_WITH_SERVICE: Indicator = Indicator {
    id: "V07",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Was its program born alone, within minutes of the install of the service?",
    why: "Remote execution tools drop one file and install it at once; installers lay down many files together.",
    innocent: "A small product of a single file; an administrator who installs one by hand.",
    verify: &[
        "MFTECmd: sort by Created0x30 and look at what else was born in these minutes",
        "Sysmon 11 or $UsnJrnl: who wrote the file",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 8,
    hard: false,
    needs: &[INSTALL_LOGS, Need::Files],
    sources: &[
        "Linux-NTFS project: new files get the first free record, so files of one install are neighbors",
    ],
    since: "0.1.0",
    check: &|scope| {
        let wrote = scope.events(Role::FileCreation).any(|event| match &event.action {
            Action::FileCreated { image, .. } => {
                INSTALLERS.iter().any(|one| one.eq_ignore_ascii_case(leaf(image)))
            }
            _ => false,
        });
        if wrote {
            return None;
        }
        super::present(scope).find_map(|(_, file)| {
            let born = alone(file)?;
            let install = scope
                .events(Role::Install)
                .find(|event| event.time.duration_since(born).abs() <= NEAR)?;
            let because = format!(
                "{} was born {}, alone among its neighbors, and the service was installed {}",
                file.path,
                format_short(born),
                format_short(install.time)
            );
            Some(Hit::new(because, file.citation.clone()).and(install.citation.clone()))
        })
    },
    examples: &[
        yes("dropped and installed", || dropped(0)),
        no("one of many files of an installer", || dropped(12)),
        no("there long before", || {
            Scene::service("Agent").event(0, installed("Agent Agent", COMMAND)).program(|_| {})
        }),
        unknown("without a file system", || {
            Scene::service("Agent").event(0, installed("Agent Agent", COMMAND))
        }),
    ],
};

const COMMAND: &str = r"C:\Program Files\Contoso\Agent.exe";

/// When a file was born, where its neighbors show that no installer laid it down among others.
fn alone(file: &ProgramFile) -> Option<Timestamp> {
    let record = file.record.as_ref()?;
    let around = record.neighborhood.as_ref()?;
    let is_alone = around.looked_at >= KNOWN && around.born_together < INSTALLED_TOGETHER;
    super::born(file, record)?.kept.created.filter(|_| is_alone)
}

/// A service installed at noon, whose program got its name a minute before, as did so many of its neighbors.
fn dropped(born_together: usize) -> Scene {
    let born = Scene::noon().checked_sub(SignedDuration::from_mins(1)).unwrap_or_default();
    Scene::service("Agent").event(0, installed("Agent Agent", COMMAND)).program(|file| {
        let Some(record) = &mut file.record else { return };
        for times in &mut record.metadata.times {
            if matches!(times.source, TimeSource::FileName(_)) {
                times.created = Some(born);
            }
        }
        record.neighborhood = Some(Neighborhood {
            looked_at: 32,
            middle: Some(Timestamp::UNIX_EPOCH),
            born_together,
        });
    })
}
