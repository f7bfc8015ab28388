//! Protection of the service's process (`LaunchProtected`).

use super::{IMPAIR, defender};
use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::protection;
use crate::checklist::knowledge::security::guard;
use crate::checklist::knowledge::stock::Extent;
use crate::checklist::known_good::is_stock;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope};
use crate::host::config::Epoch;
use crate::host::{OlderState, Origin};

pub(super) const UNPROTECTED: Indicator = Indicator {
    id: "D03",
    family: Family::D,
    checklist: Question::Account,
    question: "Was its protection as a process (`LaunchProtected`) removed or lowered?",
    why: "Without it an administrator's tools can open, stop and inject into the process that protects the host.",
    innocent: "None known: Windows sets the value, and only tampering removes it.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v LaunchProtected",
        "Compare with a host of the same build and with ControlSet002.",
    ],
    attack: &[IMPAIR],
    weight: 30,
    hard: true,
    needs: &[HIVE, Need::Part(Origin::SoftwareHive)],
    sources: &["Measured: LaunchProtected in hives of Windows 8.1, 10 1709, 10 1903; winsvc.h"],
    since: "0.1.0",
    check: &|scope| lowered_since(scope).or_else(|| below_default(scope)),
    examples: &[
        yes("Defender without protection", || {
            defender().windows("Windows 10 Pro", "18363.720").without("LaunchProtected")
        }),
        yes("an EDR sensor that the last known good still protects", || {
            Scene::service("SentinelAgent")
                .windows("Windows 11 Pro", "22631.1")
                .before(Epoch::ControlSet(2), |config| config.launch_protected = Some(3))
        }),
        no("Defender as installed", || defender().windows("Windows 10 Pro", "18363.720")),
        no("before Windows had it", || {
            Scene::hosted("WinDefend").windows("Windows 7 Professional", "7601.24214")
        }),
        no("a service that never had it", || {
            Scene::service("Agent").windows("Windows 10 Pro", "18363.720")
        }),
        unknown("the build is not known", || defender().without("LaunchProtected")),
    ],
};

/// Lower than in an earlier state of this installation.
fn lowered_since(scope: &Scope<'_>) -> Option<Hit> {
    let config = scope.config()?;
    let now = config.launch_protected.unwrap_or(0);
    let earlier = scope.service.history.iter().find(|config| {
        let of_this = match config.epoch {
            Epoch::ControlSet(_) => true,
            Epoch::History(_) => {
                scope.host.older_state(config).is_some_and(OlderState::is_of_this_installation)
            }
            Epoch::Current | Epoch::Deleted(_) => false,
        };
        of_this && config.launch_protected.unwrap_or(0) > now
    })?;
    let because = format!(
        "LaunchProtected is {now}; in {} it was {}.",
        earlier.epoch.label(),
        earlier.launch_protected.unwrap_or(0)
    );
    Some(Hit::new(because, config.citation.clone()).and(earlier.cite("LaunchProtected")))
}

/// Lower than Windows sets it.
fn below_default(scope: &Scope<'_>) -> Option<Hit> {
    let config = scope.config()?;
    let expected = protection::expected(&scope.service.name)?;
    let level = config.launch_protected.unwrap_or(0);
    let build = scope.host.build_number()?;
    // On a build that was not measured only the guards are known to have kept their protection.
    let known =
        scope.windows().extent(build) == Extent::Values || guard(&scope.service.name).is_some();
    let stock = scope.windows().service(&scope.service.name)?;
    let fits = stock.launch_protected().contains(&level)
        || build < expected.since
        || !known
        || !is_stock(scope);
    if fits {
        return None;
    }
    let because = format!(
        "LaunchProtected is {}; on build {build} Windows sets {}.",
        config.launch_protected.map_or_else(|| "absent".to_owned(), |level| level.to_string()),
        expected.level
    );
    Some(Hit::new(because, config.cite("LaunchProtected")))
}
