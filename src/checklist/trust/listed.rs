//! Files that a list of the analyst's knows to be good.

use crate::checklist::known_bad::listed::entry;
use crate::checklist::program::is_lolbin;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene};
use crate::host::program_file::{FileState, KnownList, Purpose};
use crate::host::{Origin, State};

pub(super) const LISTED: Indicator = Indicator {
    id: "B20",
    family: Family::B,
    checklist: Question::Runs,
    question: "Is every file of it on a list of good files that you gave?",
    why: "A file of a release that somebody hashed is not an implant that was built for this network.",
    innocent: "Lists of known files (the NSRL's too) hold administrators' and intruders' tools; an interpreter on such a list says \
               nothing about what it is told to run and does not count.",
    verify: &[
        "Read what the list says at the place that is cited: which product is it of?",
        "Does this host have that product, and does the file lie where it puts it?",
    ],
    attack: &[],
    weight: -8,
    hard: false,
    needs: &[Need::Listed(Origin::KnownGood)],
    sources: &[
        "The analyst's own list: docs/known-files.md",
        "NIST NSRL: the set is of known files, not of good ones",
    ],
    since: "0.1.0",
    check: &|scope| {
        let service = scope.service;
        let commands = [&service.image, &service.failure_command, &service.wrapped];
        if commands.into_iter().flatten().any(is_lolbin) {
            return None;
        }
        let mut told = None;
        for (purpose, file) in scope.files().filter(|(_, file)| file.state == FileState::Present) {
            let bad = |list| {
                let lists =
                    [KnownList::KnownBad, KnownList::MaliciousDriver, KnownList::VulnerableDriver];
                lists.contains(&list)
            };
            if file.listed.iter().any(|one| bad(one.list)) {
                return None;
            }
            let listed = file.listed.iter().find(|one| one.list == KnownList::KnownGood)?;
            // The service's own DLL says more than its host.
            if told.is_none() || *purpose == Purpose::ServiceDll {
                told = Some((purpose, file, listed));
            }
        }
        let is_whole = service.dll.is_none()
            || scope.file(&Purpose::ServiceDll).is_some_and(|dll| dll.state == FileState::Present);
        let (purpose, file, listed) = told.filter(|_| is_whole)?;
        let because = format!(
            "Its {} \"{}\" is on the list {} by {}.",
            purpose.label(),
            clip(&file.path),
            clip(&listed.source),
            listed.by
        );
        Some(Hit::new(because, file.citation.clone()))
    },
    examples: &[
        yes("its program is listed", || {
            Scene::service("Agent")
                .covered(Origin::KnownGood, State::Complete)
                .program(|file| file.listed.push(entry(KnownList::KnownGood)))
        }),
        no("svchost is listed, its DLL is not", || {
            Scene::hosted("Agent")
                .covered(Origin::KnownGood, State::Complete)
                .program(|file| file.listed.push(entry(KnownList::KnownGood)))
        }),
        no("a shell is listed", || {
            Scene::service("Agent")
                .image(r"C:\Windows\System32\cmd.exe /c start x")
                .covered(Origin::KnownGood, State::Complete)
                .program(|file| file.listed.push(entry(KnownList::KnownGood)))
        }),
        no("a list of bad files has it too", || {
            Scene::service("Agent").covered(Origin::KnownGood, State::Complete).program(|file| {
                file.listed = vec![entry(KnownList::KnownBad), entry(KnownList::KnownGood)];
            })
        }),
        unknown("its program was not read", || {
            Scene::service("Agent")
                .covered(Origin::KnownGood, State::Complete)
                .program(|file| file.content = None)
        }),
    ],
};
