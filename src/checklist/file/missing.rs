//! A file that is not there.

use jiff::SignedDuration;

use super::super::basis::HIVE;
use super::super::staging::{installed, no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::Role;
use crate::host::config::Data;
use crate::host::program_file::FileState;

/// How long before the end of the evidence an install counts as recent.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The weight after a recent install.
const RECENT_WEIGHT: i16 = 12;

pub(super) const MISSING: Indicator = Indicator {
    id: "V01",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is its program or DLL gone, while the key is there?",
    why: "Intruders delete the program and forget the service, or leave the service to come back with a new program.",
    innocent: "Uninstallers leave keys behind, drivers of hardware that is gone above all.",
    verify: &[
        "Look for the file in the folder that is cited; mind 8.3 names, SysWOW64 and quotes",
        "Look for its name in $MFT (deleted records), $UsnJrnl, Prefetch and Amcache",
    ],
    attack: &[technique("T1070.004"), technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[HIVE, Need::Files],
    sources: &[
        "A judgement: leftovers of uninstallers are frequent, those of a fresh install are not",
    ],
    since: "0.1.0",
    check: &|scope| {
        let missing = super::missing(scope);
        let (purpose, file) = missing.first()?;
        let config = scope.config()?;
        let mut because = format!("The {} {} is not there", purpose.label(), file.path);
        let end = scope.host.coverage.newest();
        let recent = scope
            .events(Role::Install)
            .find(|event| end.is_some_and(|end| end.duration_since(event.time) <= RECENT));
        let hit = |because| Hit::new(because, file.citation.clone()).and(config.citation.clone());
        let Some(install) = recent else { return Some(hit(because)) };
        because.push_str(", days after it was installed");
        Some(hit(because).and(install.citation.clone()).weighing(RECENT_WEIGHT))
    },
    examples: &[
        yes("the program is gone", || {
            Scene::service("Agent").program(|file| file.state = FileState::Missing)
        }),
        yes("the program is gone an hour after the install", || {
            Scene::service("Agent")
                .program(|file| file.state = FileState::Missing)
                .event(-3_600, installed("Agent Agent", r"C:\Program Files\Contoso\Agent.exe"))
        }),
        no("the program is there", || Scene::service("Agent").program(|_| {})),
        no("a service of Windows that this edition lacks", || {
            Scene::hosted("Fax")
                .image(r"%SystemRoot%\System32\fxssvc.exe")
                .without(r"Parameters\ServiceDll")
                .program(|file| file.state = FileState::Missing)
        }),
        no("a driver of Windows for hardware that the host lacks", || {
            Scene::driver("contoso")
                .value("Owners", 7, Data::Texts(vec!["contoso.inf".to_owned()]))
                .program(|file| file.state = FileState::Missing)
        }),
        yes("a vendor's driver", || {
            Scene::driver("contoso")
                .value("Owners", 7, Data::Texts(vec!["oem7.inf".to_owned()]))
                .program(|file| file.state = FileState::Missing)
        }),
        unknown("it was not collected", || {
            Scene::service("Agent").program(|file| file.state = FileState::NotCollected)
        }),
        unknown("without a file system", || Scene::service("Agent")),
    ],
};
