//! Defence impairment (D): protection, logging and backup switched off, and services that run in safe mode.

use super::knowledge::security::{self, Guard, guard};
use super::{Indicator, Scene, Scope, Technique, renumbered};
use crate::host::Host;
use crate::host::config::Start;
use crate::text::same_name;

mod audit_policy;
mod disabled;
mod event_log;
mod launch_protected;
mod safe_boot;
mod switched_off;
mod tampered;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    disabled::CORE_OFF,
    disabled::OTHER_OFF,
    launch_protected::UNPROTECTED,
    safe_boot::SAFE_BOOT,
    event_log::LOG_SETTINGS,
    event_log::FORMATTING_SWITCH,
    switched_off::SWITCHED_OFF,
    event_log::LOG_MOVED,
    tampered::UNPROTECTED_BY,
    tampered::SAFE_MODE_BY,
    tampered::RECORDING_REDUCED,
    audit_policy::AUDIT_EMPTIED,
];

const IMPAIR: Technique = renumbered("T1562.001", "T1685");
const LOGGING: Technique = renumbered("T1562.002", "T1685.001");

/// Without these a host neither defends itself nor remembers; no product and no hardening guide disables them.
/// Third-party antivirus sets Defender to demand start, not to disabled (measured).
const ESSENTIAL: [&str; 13] = [
    "BFE",
    "EventLog",
    "mpsdrv",
    "MpsSvc",
    "SecurityHealthService",
    "Sense",
    "Sysmon",
    "Sysmon64",
    "SysmonDrv",
    "WdBoot",
    "WdFilter",
    "WinDefend",
    "wscsvc",
];

/// What makes up Microsoft Defender Antivirus; on servers a feature that can be removed.
const DEFENDER: [&str; 5] = ["WdBoot", "WdFilter", "WdNisDrv", "WdNisSvc", "WinDefend"];
/// What another antivirus may take the place of. Defender for Endpoint is none of it: it reports beside any antivirus.
const REPLACEABLE: [&str; 1] = ["SecurityHealthService"];

/// The guard it is, where it is an essential one on this host. Before Windows 8 `WinDefend` ran in svchost.exe and was a
/// mere anti-spyware, which antivirus products did disable.
fn essential(scope: &Scope<'_>) -> Option<&'static Guard> {
    let guard = guard(&scope.service.name)?;
    let old = same_name(guard.name, "WinDefend")
        && scope.service.image.as_ref().is_some_and(|image| image.leaf() == "svchost.exe");
    let is_named = ESSENTIAL.iter().any(|name| same_name(name, guard.name));
    (is_named && !old && successor(scope).is_none()).then_some(guard)
}

/// What stands in for Microsoft Defender where the service is a part of it: another antivirus that is not disabled, or
/// nothing, where a server has no part of the feature any more.
fn successor(scope: &Scope<'_>) -> Option<&'static str> {
    let is_one_of = |names: &[&str]| names.iter().any(|name| same_name(name, &scope.service.name));
    let is_defender = is_one_of(&DEFENDER);
    if !is_defender && !is_one_of(&REPLACEABLE) {
        return None;
    }
    let removed = || {
        let gone = DEFENDER.iter().all(|name| !is_there(scope.host, name));
        (is_defender && scope.host.is_server() && gone).then_some("a server without the feature")
    };
    let other = || {
        let engines = security::antivirus().filter(|guard| is_on_duty(scope.host, guard.name));
        engines.map(|guard| guard.product).next()
    };
    other().or_else(removed)
}

fn is_there(host: &Host, name: &str) -> bool {
    host.service(name).is_some_and(crate::host::Service::in_registry)
}

/// Whether its key is there and lets it start.
fn is_on_duty(host: &Host, name: &str) -> bool {
    host.service(name)
        .and_then(|service| service.config.as_ref())
        .is_some_and(|config| config.start.is_some_and(|start| start != Start::Disabled))
}

fn defender() -> Scene {
    Scene::service("WinDefend")
        .image(r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.2001.10-0\MsMpEng.exe""#)
        .number("LaunchProtected", 3)
}
