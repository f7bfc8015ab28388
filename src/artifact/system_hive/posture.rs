//! What the SYSTEM hive says about recording and forbidding: the classic logs, Sysmon, LSA, code integrity, remote access.

use super::told;
use crate::artifact::Sink;
use crate::artifact::event_log_file::witness;
use crate::artifact::hive::{Key, RightsKind};
use crate::artifact::hive_file::unless_damaged;
use crate::artifact::posture::{below, cite, cite_value, look, number, size, switch};
use crate::artifact::service_values::access_rules;
use crate::artifact::software_hive::retention;
use crate::host::Fact;
use crate::host::posture::knowledge::{
    CODE_INTEGRITY, DRIVER_BLOCKLIST, LEGACY_POLICY, LOG_FILE, LOG_SIZE, LSA_PROTECTION,
    MANAGER_REMOTE, MANAGER_RIGHTS, MEMORY_INTEGRITY, REMOTE_REGISTRY, SYSMON,
};
use crate::host::posture::{Effect, Posture};
use crate::time::format_short;

/// Bits of Sysmon's `HashingAlgorithm` (mattifestation, "Sysmon configuration in the registry"; `-h *` sets them all).
const HASHES: [(u64, &str); 4] = [(1, "SHA1"), (2, "MD5"), (4, "SHA256"), (8, "IMPHASH")];
/// `SC_MANAGER_CREATE_SERVICE`, `WRITE_DAC`, `WRITE_OWNER`, `GENERIC_WRITE`, `GENERIC_ALL` (winsvc.h, winnt.h).
const CREATES: u32 = 0x2 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
/// Those who may do everything anyway: SYSTEM and administrators.
const MASTERS: [&str; 2] = ["S-1-5-18", "S-1-5-32-544"];

pub(super) fn read(set: &Key<'_>, sink: &mut Sink) {
    let mut settings = Vec::new();
    logs(set, &mut settings, sink);
    sysmon(set, &mut settings, sink);
    lsa(set, &mut settings, sink);
    code_integrity(set, &mut settings, sink);
    manager(set, &mut settings, sink);
    remote_registry(set, &mut settings, sink);
    for setting in settings {
        sink.fact(Fact::Posture(setting));
    }
}

/// The classic logs that are read. Others have their settings in SOFTWARE.
fn logs(set: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let Some(event_log) = below(set, r"Services\EventLog", sink) else { return };
    for log in told(event_log.subkeys(), event_log.path(), sink) {
        if witness(log.name()).is_none() {
            continue;
        }
        retention(&log, &LOG_SIZE, log.name(), 1, settings, sink);
        let Some(file) = unless_damaged(log.value("File"), sink) else { continue };
        let Some(text) = file.text() else { continue };
        let usual = [r"\system32\winevt\logs\", r"\system32\config\"];
        if !usual.iter().any(|folder| text.to_lowercase().contains(folder)) {
            let citation = cite_value(&log, &file, sink);
            settings.push(LOG_FILE.found(text, Effect::SeesPart, citation).of(log.name()));
        }
    }
}

/// Sysmon's driver can be renamed when it is installed; the values it is configured by cannot.
fn sysmon(set: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let Some(services) = below(set, "Services", sink) else { return };
    let mut any = false;
    // What is damaged below Services is told where services are read.
    for service in services.subkeys().items {
        let Ok(Some(parameters)) = service.subkey("Parameters") else { continue };
        let hashing = parameters.value("HashingAlgorithm").ok().flatten();
        let rules = parameters.value("Rules").ok().flatten();
        let named = crate::text::same_name(service.name(), "SysmonDrv");
        if !named && (hashing.is_none() || rules.is_none()) {
            continue;
        }
        any = true;
        let hashes = hashing.as_ref().and_then(number).unwrap_or_default();
        let hashes: Vec<&str> =
            HASHES.iter().filter(|(bit, _)| hashes & bit != 0).map(|(_, name)| *name).collect();
        let hashes = if hashes.is_empty() { "no".to_owned() } else { hashes.join(" ") };
        let written = parameters.last_write().map(format_short).unwrap_or_default();
        let file = unless_damaged(parameters.value("ConfigFile"), sink);
        let file = file.and_then(|value| value.text()).map(|file| format!(", from {file}"));
        let (state, effect, citation) = match rules.filter(|rules| !rules.data.is_empty()) {
            Some(rules) => (
                format!("{} of rules, written {written}", size(length(&rules.data))),
                Effect::Sees,
                cite_value(&parameters, &rules, sink),
            ),
            None => (
                format!("no rules: its default events only, written {written}"),
                Effect::SeesPart,
                cite(&parameters, sink),
            ),
        };
        let state = format!("{state}, {hashes} hashes{}", file.unwrap_or_default());
        settings.push(SYSMON.found(state, effect, citation).of(service.name()));
    }
    if !any {
        let citation = cite(&services, sink);
        settings.push(SYSMON.found("not installed", Effect::Blind, citation));
    }
}

fn length(data: &[u8]) -> u64 {
    u64::try_from(data.len()).unwrap_or(u64::MAX)
}

fn lsa(set: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    if let Some(looked) = look(set, r"Control\Lsa", "RunAsPPL", sink) {
        let is = |number| match number {
            0 => ("off", Effect::Permits),
            1 => ("on, kept in the firmware", Effect::Forbids),
            _ => ("on", Effect::Forbids),
        };
        let absent =
            ("off, but on for new installations of Windows 11 22H2 and later", Effect::Permits);
        settings.push(switch(&LSA_PROTECTION, &looked, is, absent));
    }
    if let Some(looked) = look(set, r"Control\Lsa", "SCENoApplyLegacyAuditPolicy", sink) {
        let is = |number| match number {
            0 => ("no: the old categories overwrite them", Effect::SeesPart),
            _ => ("yes", Effect::Sees),
        };
        settings.push(switch(&LEGACY_POLICY, &looked, is, ("yes", Effect::Neutral)));
    }
}

fn code_integrity(set: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let path = r"Control\DeviceGuard\Scenarios\HypervisorEnforcedCodeIntegrity";
    let on_off = |number| match number {
        0 => ("off", Effect::Permits),
        _ => ("on", Effect::Forbids),
    };
    if let Some(looked) = look(set, path, "Enabled", sink) {
        settings.push(switch(&MEMORY_INTEGRITY, &looked, on_off, ("off", Effect::Permits)));
    }
    if let Some(looked) = look(set, r"Control\CI\Config", "VulnerableDriverBlocklistEnable", sink) {
        let absent =
            ("on since Windows 11 22H2, off before unless memory integrity is on", Effect::Neutral);
        settings.push(switch(&DRIVER_BLOCKLIST, &looked, on_off, absent));
    }
    let name = "VerifiedAndReputablePolicyState";
    let looked = look(set, r"Control\CI\Policy", name, sink);
    if let Some(looked) = looked.filter(|looked| looked.value.is_some()) {
        let is = |number| match number {
            0 => ("Smart App Control off", Effect::Neutral),
            1 => ("Smart App Control enforced", Effect::Forbids),
            _ => ("Smart App Control evaluating", Effect::Neutral),
        };
        settings.push(switch(&CODE_INTEGRITY, &looked, is, ("", Effect::Neutral)));
    }
}

/// Who may create services, here and from afar.
fn manager(set: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    if let Some(looked) = look(set, r"Control\ServiceGroupOrder\Security", "Security", sink) {
        let citation = looked.citation.clone();
        settings.push(match looked.value {
            None => MANAGER_RIGHTS.by_default("administrators only", Effect::Forbids, citation),
            Some(value) => match access_rules(&value.data, RightsKind::Key) {
                Ok(rules) => {
                    let opens = rules.null_dacl
                        || rules.entries.iter().any(|rule| {
                            rule.allow
                                && !rule.inherit_only
                                && rule.mask & CREATES != 0
                                && !MASTERS.contains(&rule.sid.as_str())
                        });
                    let effect = if opens { Effect::Permits } else { Effect::Forbids };
                    MANAGER_RIGHTS.found(rules.sddl, effect, citation)
                }
                Err(_) => {
                    MANAGER_RIGHTS.found("data that is no descriptor", Effect::Neutral, citation)
                }
            },
        });
    }
    if let Some(looked) = look(set, "Control", "RemoteAccessExemption", sink) {
        let is = |number| match number {
            0 => ("administrators only", Effect::Forbids),
            _ => ("exempt from the check for administrators", Effect::Permits),
        };
        let absent = ("administrators only, since Windows 10 1709", Effect::Forbids);
        settings.push(switch(&MANAGER_REMOTE, &looked, is, absent));
    }
}

fn remote_registry(set: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let path = r"Control\SecurePipeServers";
    if let Some(key) = below(set, &format!(r"{path}\winreg"), sink) {
        let rules = key.security().map(|bytes| access_rules(&bytes, RightsKind::Key));
        let (state, effect) = match rules {
            Some(Ok(rules)) if rules.null_dacl => ("anyone".to_owned(), Effect::Permits),
            Some(Ok(rules)) => (rules.sddl, Effect::Forbids),
            _ => ("a key without a readable descriptor".to_owned(), Effect::Neutral),
        };
        settings.push(REMOTE_REGISTRY.found(state, effect, cite(&key, sink)));
    } else if let Some(key) = below(set, "Control", sink) {
        let citation = cite(&key, sink);
        let state = "anyone, as far as the permissions of a key allow it";
        settings.push(REMOTE_REGISTRY.by_default(state, Effect::Permits, citation));
    }
}
