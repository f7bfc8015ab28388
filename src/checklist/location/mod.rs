//! Question 2: where the program, the DLL or the wrapped program lies (P).

use super::knowledge::agents;
use super::known_good::is_as_shipped;
use super::place::{Class, class_of};
use super::subject::{Part, Runs, runs};
use super::{Hit, Indicator, Scope};

mod drive;
mod masquerade;
mod namespace;
mod obfuscation;
mod unresolved;
mod windows;
mod writable;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    writable::USER_WRITABLE,
    writable::PROGRAM_DATA,
    windows::WINDOWS_ROOT,
    drive::DRIVE_ROOT,
    namespace::UNC,
    unresolved::BARE,
    unresolved::VARIABLE,
    masquerade::MISPLACED,
    obfuscation::STREAM,
    namespace::DEVICE,
    obfuscation::SHORT_NAME,
    masquerade::NOT_OF_WINDOWS,
    windows::SERVICING,
];

const VERIFY_FILE: &str = "Get the file from the image or host; check its signature and hash, and who wrote it when \
     ($MFT, Sysmon 11)";
const VERIFY_KEY: &str = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /s";

/// The files of a service that are neither what Windows ships nor a known agent.
fn foreign<'a>(scope: &Scope<'a>) -> Vec<Runs<'a>> {
    if is_as_shipped(scope) {
        return runs(scope).into_iter().filter(|one| one.part == Part::Wrapped).collect();
    }
    let name = &scope.service.name;
    let foreign = scope.memory.foreign.get_or_init(|| {
        let unknown = runs(scope).into_iter().filter(|one| agents::agent(name, one.path).is_none());
        unknown.map(|one| one.part).collect()
    });
    if foreign.is_empty() {
        return Vec::new();
    }
    runs(scope).into_iter().filter(|one| foreign.contains(&one.part)).collect()
}

/// The first foreign file for which `judge` has a verdict: what to say, and its weight.
fn first(
    scope: &Scope<'_>,
    judge: impl Fn(&Runs<'_>, Class) -> Option<(String, i16)>,
) -> Option<Hit> {
    let judged = foreign(scope).into_iter().filter_map(|one| {
        let (what, weight) = judge(&one, class_of(one.path))?;
        Some((weight, one.hit(&what).weighing(weight)))
    });
    judged.max_by_key(|(weight, _)| *weight).map(|(_, hit)| hit)
}
