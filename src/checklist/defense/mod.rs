//! Defence impairment (D): protection, logging and backup switched off, and services that run in safe mode.

use super::knowledge::security::{Guard, guard};
use super::{Indicator, Scene, Scope, Technique, renumbered};
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

/// The guard it is, where it is an essential one. Before Windows 8 `WinDefend` ran in svchost.exe and was a
/// mere anti-spyware, which antivirus products did disable.
fn essential(scope: &Scope<'_>) -> Option<&'static Guard> {
    let guard = guard(&scope.service.name)?;
    let old = same_name(guard.name, "WinDefend")
        && scope.service.image.as_ref().is_some_and(|image| image.leaf() == "svchost.exe");
    (!old && ESSENTIAL.iter().any(|name| same_name(name, guard.name))).then_some(guard)
}

fn defender() -> Scene {
    Scene::service("WinDefend")
        .image(r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.2001.10-0\MsMpEng.exe""#)
        .number("LaunchProtected", 3)
}
