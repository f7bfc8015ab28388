//! Times that were set.

use jiff::{SignedDuration, Timestamp};

use super::super::basis::HIVE;
use super::super::known_good;
use super::super::staging::{no, unknown, yes};
use super::{Born, born};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::evidence::TimeSource;
use crate::host::ProgramFile;
use crate::host::image_path::ImagePath;
use crate::time::format_short;

/// Clocks are corrected, and an image is linked on another machine than the one it is used on.
const SLACK: SignedDuration = SignedDuration::from_hours(24);
/// The weight where only the linker contradicts.
const LINKED_WEIGHT: i16 = 8;

pub(super) const STOMPED: Indicator = Indicator {
    id: "V05",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Were the times of its program set to look older than it is?",
    why: "Programs can set the times in $STANDARD_INFORMATION but not those in $FILE_NAME, and most tools that set \
          times leave zeros below the second. What was linked after it was \"created\" is younger than it says.",
    innocent: "Files moved from FAT volumes or out of some archives bring whole seconds; disks are restored from \
               backups with the old times.",
    verify: &[
        "MFTECmd: compare Created0x10 with Created0x30, and look at the columns SI<FN and uSecZeros",
        "$UsnJrnl: BASIC_INFO_CHANGE of the file; Prefetch and Amcache: when it first ran",
    ],
    attack: &[technique("T1070.006")],
    weight: 15,
    hard: false,
    needs: &[HIVE, Need::Files],
    sources: &[
        "Knowledge of the field: SANS FOR508 time rules for $STANDARD_INFORMATION and $FILE_NAME",
        "A judgement: both signs together, because copies keep the time of modification and installers set whole seconds",
    ],
    since: "0.1.0",
    check: &|scope| {
        if known_good::is_as_shipped(scope) {
            return None;
        }
        super::present(scope).find_map(|(_, file)| stomped(scope, file))
    },
    examples: &[
        yes("created years ago to the second, and named today", || {
            Scene::service("Agent").program(|file| set(file, Some(old()), Some(old())))
        }),
        yes("linked after it was created", || {
            Scene::service("Agent").program(|file| {
                let late = Scene::noon().checked_sub(SignedDuration::from_hours(240)).ok();
                let executable = file.content.as_mut().and_then(|one| one.executable.as_mut());
                if let Some(executable) = executable {
                    executable.linked = late;
                }
            })
        }),
        no("an ordinary file", || Scene::service("Agent").program(|_| {})),
        no("only the time of modification is old: a copy", || {
            Scene::service("Agent").program(|file| set(file, None, Some(old())))
        }),
        no("a file of Windows", || {
            Scene::hosted("Fax")
                .image(r"%SystemRoot%\System32\fxssvc.exe")
                .without(r"Parameters\ServiceDll")
                .program(|file| set(file, Some(old()), Some(old())))
        }),
        unknown("without a file system", || Scene::service("Agent")),
    ],
};

fn stomped(scope: &Scope<'_>, file: &ProgramFile) -> Option<Hit> {
    let record = file.record.as_ref()?;
    let Born { set, kept } = born(file, record)?;
    let (created, named) = (set.created?, kept.created?);
    let path = ImagePath::of_file(&file.path);
    let root = scope.host.identity.system_root.as_deref().unwrap_or(r"C:\Windows").to_lowercase();
    // Setup and servicing give the files of Windows several names, and times of their packages.
    let is_linked_by_servicing = record.metadata.names.len() > 1 && path.is_below(&root);
    if !is_linked_by_servicing
        && created < named
        && has_whole_seconds(created)
        && set.modified.is_some_and(has_whole_seconds)
        && !has_whole_seconds(named)
    {
        let because = format!(
            "{} says created {} to the second, but it got its name {}",
            file.path,
            format_short(created),
            format_short(named)
        );
        return Some(Hit::new(because, file.citation.clone()));
    }
    let linked = file.executable()?.linked?;
    let is_plausible = scope.host.coverage.newest().is_some_and(|end| linked <= end);
    let late = linked.duration_since(created) > SLACK && linked.duration_since(named) > SLACK;
    if file.signature.is_windows || is_linked_by_servicing || !is_plausible || !late {
        return None;
    }
    let because = format!(
        "{} was linked {}, after it was created {}",
        file.path,
        format_short(linked),
        format_short(created)
    );
    Some(Hit::new(because, file.citation.clone()).weighing(LINKED_WEIGHT))
}

/// The file system counts in 100 ns: one file in ten million is born at a whole second.
fn has_whole_seconds(time: Timestamp) -> bool {
    time.subsec_nanosecond() == 0
}

/// Years before noon.
fn old() -> Timestamp {
    Scene::noon().checked_sub(SignedDuration::from_hours(5 * 365 * 24)).unwrap_or_default()
}

/// Sets what programs can set.
fn set(file: &mut ProgramFile, created: Option<Timestamp>, modified: Option<Timestamp>) {
    let all = file.record.iter_mut().flat_map(|record| &mut record.metadata.times);
    for times in all.filter(|times| times.source == TimeSource::StandardInformation) {
        times.created = created.or(times.created);
        times.modified = modified.or(times.modified);
    }
}
