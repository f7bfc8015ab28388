//! The same path as on the baseline, other bytes.

use super::{BASELINE, SOURCE, VERIFY_DIFF, VERIFY_LINE, compared};
use crate::checklist::baseline::{FileValues, Row, is_same_program};
use crate::checklist::basis::HIVE;
use crate::checklist::staging::{GOLD_BUILD, gold, no, on_gold_build, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::ProgramFile;
use crate::host::program_file::{Purpose, SignatureStatus};

pub(super) const OTHER_BYTES: Indicator = Indicator {
    id: "G06",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is its file another than your baseline has at that path, and signed by nobody?",
    why: "The path is the one that everybody knows, the bytes are not: a program that was replaced keeps its service, its key \
          and its name.",
    innocent: "An update of software that its maker does not sign.",
    verify: &[
        "Compare the SHA-256 of the file with that of the baseline's line that is cited",
        "Compare version resource, size and times with the file of a good host",
        VERIFY_DIFF,
        VERIFY_LINE,
    ],
    attack: &[technique("T1554"), technique("T1574.010")],
    weight: 25,
    hard: false,
    needs: &[HIVE, BASELINE, Need::FileContents],
    sources: &[SOURCE, "detection.md C.4 R03: same key name, another hash than the majority"],
    since: "0.1.0",
    check: &|scope| {
        let (here, rows) = compared(scope)?;
        let same: Vec<_> =
            rows.into_iter().filter(|place| is_same_program(place.row, &here)).collect();
        let purposes = [Purpose::Image, Purpose::ServiceDll, Purpose::Wrapped];
        purposes.iter().zip(files(&here)).find_map(|(purpose, found)| {
            let (at, found) = (position(purpose), found.sha256.as_deref()?);
            let known: Vec<_> = same
                .iter()
                .filter_map(|place| Some((place, files(place.row).into_iter().nth(at)?)))
                .filter(|(_, file)| file.sha256.is_some())
                .collect();
            let file = scope.file(purpose)?;
            let (place, _) = known.first()?;
            let is_known = known.iter().any(|(_, file)| file.sha256.as_deref() == Some(found));
            if is_known || !is_signed_by_nobody(file) {
                return None;
            }
            let was_signed = known.iter().any(|(_, file)| file.signer.is_some());
            let signature = if was_signed { " and it was signed there" } else { "" };
            let because = format!(
                "Its {} \"{}\" has other bytes than on the baseline{signature}, and nobody known signed them ({}).",
                purpose.label(),
                clip(&file.path),
                place.label()
            );
            let weight = if was_signed { 25 } else { 12 };
            Some(Hit::new(because, file.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("a signed program was replaced by one that is not", || {
            on_gold_build(Scene::service("Agent").program(replaced))
                .baseline(gold(vec![Scene::service("Agent").program(|_| ())], 0))
        }),
        yes("a program that nobody signs, changed: less", || {
            on_gold_build(Scene::service("Agent").program(replaced)).baseline(gold(
                vec![Scene::service("Agent").program(|file| {
                    file.signature.status = SignatureStatus::Unsigned;
                })],
                0,
            ))
        }),
        no("an update that is signed", || {
            on_gold_build(Scene::service("Agent").program(updated))
                .baseline(gold(vec![Scene::service("Agent").program(|_| ())], 0))
        }),
        no("the same bytes", || {
            on_gold_build(Scene::service("Agent").program(|_| ()))
                .baseline(gold(vec![Scene::service("Agent").program(|_| ())], 0))
        }),
        unknown("its file was not read", || {
            on_gold_build(Scene::service("Agent"))
                .baseline(gold(vec![Scene::service("Agent").program(|_| ())], 0))
        }),
        unknown("no baseline was given", || {
            Scene::service("Agent").windows("Windows 10 Pro", GOLD_BUILD).program(replaced)
        }),
    ],
};

fn files(row: &Row) -> [&FileValues; 3] {
    [&row.image_file, &row.dll_file, &row.wrapped_file]
}

/// Which of [`files`] it is.
const fn position(purpose: &Purpose) -> usize {
    match purpose {
        Purpose::ServiceDll => 1,
        Purpose::Wrapped => 2,
        _ => 0,
    }
}

/// Whether it is known that nobody known signed the bytes; where no catalogs were read it is not.
fn is_signed_by_nobody(file: &ProgramFile) -> bool {
    matches!(
        file.signature.status,
        SignatureStatus::Invalid | SignatureStatus::UntrustedRoot | SignatureStatus::Unsigned
    )
}

fn replaced(file: &mut ProgramFile) {
    updated(file);
    file.signature.status = SignatureStatus::Unsigned;
    file.signature.signers.clear();
}

fn updated(file: &mut ProgramFile) {
    if let Some(content) = &mut file.content {
        content.digests.sha256 = "44".repeat(32);
    }
}
