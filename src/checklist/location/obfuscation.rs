//! Paths that hide the file they name: alternate data streams, text turned around, short names.

use super::{VERIFY_KEY, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::subject::runs;
use crate::checklist::{Family, Indicator, Question, Scene, technique};
use crate::host::image_path::Naming;

pub(super) const STREAM: Indicator = Indicator {
    id: "P19",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the path name an alternate data stream, or turn its text around?",
    why: "A program in a stream of another file is invisible in Explorer and dir; a right-to-left override makes \
          exe.txt out of txt.exe on the screen. Nothing legitimate does either.",
    innocent: "None is known: no installer has a reason to do either.",
    verify: &["dir /r <folder>, or the $DATA attributes of the file in the $MFT", VERIFY_KEY],
    attack: &[technique("T1564.004"), technique("T1036.002")],
    weight: 35,
    hard: true,
    needs: &[COMMAND],
    sources: &[MEASURED, "ATT&CK T1564.004, T1036.002"],
    since: "0.1.0",
    check: &|scope| {
        runs(scope).into_iter().find_map(|one| {
            let beyond_drive = one.path.normalized.get(2..).unwrap_or_default();
            let stream = one.path.naming != Naming::Device && beyond_drive.contains(':');
            let turned = one
                .path
                .raw
                .chars()
                .any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
            match (stream && !one.path.program.to_lowercase().contains("$env:"), turned) {
                (true, _) => Some(one.hit("an alternate data stream of another file")),
                (_, true) => Some(one.hit("with a character that turns the text around")),
                _ => None,
            }
        })
    },
    examples: &[
        yes("a stream of a text file", || {
            Scene::service("AdsSvc").image(r"C:\Windows\Temp\log.txt:payload.exe")
        }),
        yes("a right-to-left override", || {
            Scene::service("x").image("C:\\Program Files\\a\u{202e}txt.exe")
        }),
        no("a colon after the drive only", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

pub(super) const SHORT_NAME: Indicator = Indicator {
    id: "P21",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the path contain a short (8.3) name?",
    why: "PROGRA~1 hides a folder's real name from people and from rules that compare paths.",
    innocent: "Installers of the nineties and their descendants write short names to avoid spaces.",
    verify: &["dir /x of the parent folder, or the $FILE_NAME attributes: which folder is it?"],
    attack: &[technique("T1564")],
    weight: 4,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        first(scope, |one, _| {
            let short = one.path.expanded.split('\\').find(|component| is_short_name(component))?;
            Some((format!("whose component {short} is a short name"), 4))
        })
    },
    examples: &[
        yes("Program Files by its short name", || {
            Scene::service("Agent").image(r"C:\PROGRA~1\Contoso\agent.exe")
        }),
        no("a tilde that is no short name", || {
            Scene::service("Agent").image(r#""C:\Program Files\Contoso~beta\agent.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// `progra~1`, `a~12.exe`: a tilde and digits at the end of the name part of at most eight characters.
fn is_short_name(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default();
    stem.len() <= 8
        && stem.rsplit_once('~').is_some_and(|(name, number)| {
            !name.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        })
}
