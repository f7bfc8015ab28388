//! Files that a list of the analyst's knows to be bad.

use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::program_file::{KnownList, ListMatch, ProgramFile, Purpose};
use crate::host::{Origin, State};

/// The first file of the service that a list of that kind holds.
pub(super) fn first<'a>(
    scope: &Scope<'a>,
    list: KnownList,
) -> Option<(&'a Purpose, &'a ProgramFile, &'a ListMatch)> {
    scope.files().find_map(|(purpose, file)| {
        let listed = file.listed.iter().find(|one| one.list == list)?;
        Some((purpose, file, listed))
    })
}

/// ` ("remark")`, or nothing.
pub(super) fn remark(listed: &ListMatch) -> String {
    if listed.remark.is_empty() {
        String::new()
    } else {
        format!(" (\"{}\")", clip(&listed.remark))
    }
}

pub(super) const LISTED: Indicator = Indicator {
    id: "K01",
    family: Family::K,
    checklist: Question::Runs,
    question: "Is a file of it on a list of bad files that you gave?",
    why: "An equal hash is an equal file: whatever is known of the one on the list is known of this one.",
    innocent: "Lists hold dual-use tools and mistakes; a hash that an incident brought along says only that the file was \
               there.",
    verify: &[
        "Read what the list says at the place that is cited, and where that entry comes from.",
        "svctriage file EVIDENCE PATH --bytes: compare the hash with another source",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 40,
    hard: true,
    needs: &[Need::Listed(Origin::KnownBad)],
    sources: &["The analyst's own list: docs/known-files.md"],
    since: "0.1.0",
    check: &|scope| {
        let (purpose, file, listed) = first(scope, KnownList::KnownBad)?;
        let is_good = file.listed.iter().any(|one| one.list == KnownList::KnownGood);
        let but = if is_good { "; a list of good files has it as well" } else { "" };
        let because = format!(
            "Its {} \"{}\" is on the list {}{} by {}{but}.",
            purpose.label(),
            clip(&file.path),
            clip(&listed.source),
            remark(listed),
            listed.by
        );
        Some(Hit::new(because, file.citation.clone()))
    },
    examples: &[
        yes("its program is listed", || {
            Scene::service("Agent")
                .covered(Origin::KnownBad, State::Complete)
                .program(|file| file.listed.push(entry(KnownList::KnownBad)))
        }),
        no("its program is not listed", || {
            Scene::service("Agent").covered(Origin::KnownBad, State::Complete).program(|_| {})
        }),
        no("it is listed as a good file", || {
            Scene::service("Agent")
                .covered(Origin::KnownBad, State::Complete)
                .program(|file| file.listed.push(entry(KnownList::KnownGood)))
        }),
        unknown("its program was not read", || {
            Scene::service("Agent")
                .covered(Origin::KnownBad, State::Complete)
                .program(|file| file.content = None)
        }),
    ],
};

/// A line of a list.
pub(in crate::checklist) fn entry(list: KnownList) -> ListMatch {
    ListMatch {
        list,
        source: "cases.csv line 17".to_owned(),
        by: "sha256".to_owned(),
        remark: "loader".to_owned(),
    }
}
