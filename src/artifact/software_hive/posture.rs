//! What the SOFTWARE hive says about recording and forbidding: PowerShell, channels, AppLocker, Defender, code integrity.

use crate::artifact::Sink;
use crate::artifact::event_log_file::witness;
use crate::artifact::hive::{Key, Value};
use crate::artifact::hive_file::unless_damaged;
use crate::artifact::posture::{Looked, below, cite, cite_value, look, number, size, switch};
use crate::artifact::system_hive::told;
use crate::host::Fact;
use crate::host::posture::knowledge::{
    APPLICATION_RULES, CODE_INTEGRITY, COMMAND_LINE, DEFENDER, LOG_POLICY, LOG_SIZE, LOG_SWITCH,
    MODULES, SCRIPT_BLOCKS, TRANSCRIPTS,
};
use crate::host::posture::{Effect, Known, Posture};

/// The first build of Windows Vista: before, none of these settings exist.
const VISTA: u32 = 6_000;
/// Where policies of PowerShell stand, and of which PowerShell; only the first is reported where it is absent.
const POWERSHELLS: [(&str, &str); 3] = [
    (r"Policies\Microsoft\Windows\PowerShell", ""),
    (r"Wow6432Node\Policies\Microsoft\Windows\PowerShell", "32-bit"),
    (r"Policies\Microsoft\PowerShellCore", "PowerShell 7"),
];
const CHANNELS: &str = r"Microsoft\Windows\CurrentVersion\WINEVT\Channels";
/// The smallest size that Windows itself gives a log that is read (PowerShell's; System and Security have 20 MiB).
const USUAL_SIZE: u64 = 15 << 20;
/// AppLocker's collections of rules.
const COLLECTIONS: [&str; 5] = ["Exe", "Dll", "Msi", "Script", "Appx"];
/// Values below the Defender policy that switch a part of it off.
const DEFENDER_SWITCHES: [(&str, &str); 7] = [
    ("", "DisableAntiSpyware"),
    ("", "DisableAntiVirus"),
    ("Real-Time Protection", "DisableRealtimeMonitoring"),
    ("Real-Time Protection", "DisableBehaviorMonitoring"),
    ("Real-Time Protection", "DisableOnAccessProtection"),
    ("Real-Time Protection", "DisableIOAVProtection"),
    ("Real-Time Protection", "DisableScriptScanning"),
];

pub(super) fn read(root: &Key<'_>, version: &Key<'_>, sink: &mut Sink) {
    let build = unless_damaged(version.value("CurrentBuildNumber"), sink);
    let build = build.and_then(|value| value.text()).and_then(|text| text.parse::<u32>().ok());
    if build.is_none_or(|build| build < VISTA) {
        return;
    }
    let mut settings = Vec::new();
    let path = r"Microsoft\Windows\CurrentVersion\Policies\System\Audit";
    if let Some(looked) = look(root, path, "ProcessCreationIncludeCmdLine_Enabled", sink) {
        let is = |number| if number == 1 { ("on", Effect::Sees) } else { ("off", Effect::Blind) };
        settings.push(switch(&COMMAND_LINE, &looked, is, ("off", Effect::Blind)));
    }
    for (place, which) in POWERSHELLS {
        if which.is_empty() || below(root, place, sink).is_some() {
            powershell(root, place, which, &mut settings, sink);
        }
    }
    channels(root, &mut settings, sink);
    log_policies(root, &mut settings, sink);
    applocker(root, &mut settings, sink);
    defender(root, &mut settings, sink);
    code_integrity(root, &mut settings, sink);
    for setting in settings {
        sink.fact(Fact::Posture(setting));
    }
}

fn powershell(
    root: &Key<'_>,
    place: &str,
    which: &str,
    settings: &mut Vec<Posture>,
    sink: &mut Sink,
) {
    let name = |one: Posture| if which.is_empty() { one } else { one.of(which) };
    let path = format!(r"{place}\ScriptBlockLogging");
    if let Some(looked) = look(root, &path, "EnableScriptBlockLogging", sink) {
        let is = |number| match number {
            0 => ("off, even for suspicious scripts", Effect::Blind),
            _ => ("every script block", Effect::Sees),
        };
        // Since PowerShell 5 blocks with suspicious words are recorded unless that is forbidden.
        let absent = ("only script blocks with suspicious words", Effect::SeesPart);
        settings.push(name(switch(&SCRIPT_BLOCKS, &looked, is, absent)));
    }
    let path = format!(r"{place}\ModuleLogging");
    if let Some(looked) = look(root, &path, "EnableModuleLogging", sink) {
        let names = below(root, &format!(r"{path}\ModuleNames"), sink);
        let modules = names.map(|key| told(key.values(), key.path(), sink)).unwrap_or_default();
        let every = modules.iter().any(|module| module.name == "*");
        let is = |number| match number {
            0 => ("off", Effect::Blind),
            _ if every => ("every module", Effect::Sees),
            _ if modules.is_empty() => ("on, but for no module", Effect::Blind),
            _ => ("some modules only", Effect::SeesPart),
        };
        settings.push(name(switch(&MODULES, &looked, is, ("off", Effect::Blind))));
    }
    let path = format!(r"{place}\Transcription");
    if let Some(looked) = look(root, &path, "EnableTranscripting", sink) {
        let is = |number| match number {
            0 => ("off", Effect::Neutral),
            _ => ("on", Effect::Neutral),
        };
        settings.push(name(switch(&TRANSCRIPTS, &looked, is, ("off", Effect::Neutral))));
    }
}

/// The channels that are read and that have a key of their own; the classic logs have theirs in SYSTEM.
fn channels(root: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let Some(channels) = below(root, CHANNELS, sink) else { return };
    for channel in told(channels.subkeys(), channels.path(), sink) {
        if witness(channel.name()).is_none() {
            continue;
        }
        if let Some(looked) = look(&channel, "", "Enabled", sink) {
            let is = |number| match number {
                0 => ("off", Effect::Blind),
                _ => ("on", Effect::Sees),
            };
            let absent = ("off unless its manifest says otherwise", Effect::Neutral);
            settings.push(switch(&LOG_SWITCH, &looked, is, absent).of(channel.name()));
        }
        let access = unless_damaged(channel.value("ChannelAccess"), sink);
        if let Some(text) = access.as_ref().and_then(Value::text) {
            let citation = access.map(|value| cite_value(&channel, &value, sink));
            if let Some(citation) = citation {
                let state = format!("read by {text}");
                let one = LOG_SWITCH.found(state, Effect::Neutral, citation);
                settings.push(one.of(&format!("{}, access", channel.name())));
            }
        }
        retention(&channel, &LOG_SIZE, channel.name(), 1, settings, sink);
    }
}

/// Policies of single logs, whose sizes are in KiB.
fn log_policies(root: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let Some(key) = below(root, r"Policies\Microsoft\Windows\EventLog", sink) else { return };
    for log in told(key.subkeys(), key.path(), sink) {
        if unless_damaged(log.value("MaxSize"), sink).is_some() {
            retention(&log, &LOG_POLICY, log.name(), 1 << 10, settings, sink);
        }
        if let Some(looked @ Looked { value: Some(_), .. }) = look(&log, "", "Enabled", sink) {
            let is = |number| match number {
                0 => ("off by policy", Effect::Blind),
                _ => ("on by policy", Effect::Sees),
            };
            settings.push(switch(&LOG_SWITCH, &looked, is, ("", Effect::Neutral)).of(log.name()));
        }
    }
}

/// How large a log may grow, and what happens then: `MaxSize` in units of `unit` bytes, `Retention`, `AutoBackupLogFiles`.
pub(in crate::artifact) fn retention(
    log: &Key<'_>,
    known: &Known,
    name: &str,
    unit: u64,
    settings: &mut Vec<Posture>,
    sink: &mut Sink,
) {
    let Some(looked) = look(log, "", "MaxSize", sink) else { return };
    let mut read = |name: &str| {
        let value = unless_damaged(log.value(name), sink)?;
        // Policies write a text where the log's own key has a number.
        number(&value).or_else(|| value.text()?.trim().parse().ok())
    };
    let keeps = read("Retention").is_some_and(|retention| retention != 0);
    let archives = read("AutoBackupLogFiles").is_some_and(|archives| archives != 0);
    let full = match (keeps, archives) {
        (true, true) => "archived when full",
        (true, false) => "stops recording when full",
        (false, _) => "overwrites the oldest",
    };
    let posture = match looked.number().map(|number| number.saturating_mul(unit)) {
        None => {
            let effect = if keeps && !archives { Effect::SeesPart } else { Effect::Neutral };
            let state = format!("Windows' own size, {full}");
            known.by_default(state, effect, looked.citation)
        }
        Some(bytes) => {
            let small = bytes < USUAL_SIZE || keeps && !archives;
            let effect = if small { Effect::SeesPart } else { Effect::Neutral };
            known.found(format!("{}, {full}", size(bytes)), effect, looked.citation)
        }
    };
    settings.push(posture.of(name));
}

/// Rules by collection. `EnforcementMode` is 1 where they are enforced and 0 where they are only recorded.
fn applocker(root: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let path = r"Policies\Microsoft\Windows\SrpV2";
    let mut any = false;
    for collection in COLLECTIONS {
        let Some(key) = below(root, &format!(r"{path}\{collection}"), sink) else { continue };
        let rules = told(key.subkeys(), key.path(), sink).len();
        if rules == 0 {
            continue;
        }
        any = true;
        let mode = unless_damaged(key.value("EnforcementMode"), sink);
        let audits = mode.as_ref().and_then(number) == Some(0);
        let (words, effect) =
            if audits { ("recorded only", Effect::Permits) } else { ("enforced", Effect::Forbids) };
        let citation = match &mode {
            Some(mode) => cite_value(&key, mode, sink),
            None => cite(&key, sink),
        };
        let state = format!("{rules} rules, {words}");
        settings.push(APPLICATION_RULES.found(state, effect, citation).of(collection));
    }
    if !any && let Some(looked) = look(root, path, "", sink) {
        let posture = APPLICATION_RULES.by_default("no rules", Effect::Permits, looked.citation);
        settings.push(posture);
    }
}

fn defender(root: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    for (place, name) in DEFENDER_SWITCHES {
        let path = format!(r"Policies\Microsoft\Windows Defender\{place}");
        let Some(looked) = look(root, &path, name, sink) else { continue };
        if let Some(number) = looked.number() {
            let effect = if number == 0 { Effect::Neutral } else { Effect::Permits };
            let state = format!("{name} = {number}");
            settings.push(DEFENDER.found(state, effect, looked.citation).of(name));
        }
    }
}

fn code_integrity(root: &Key<'_>, settings: &mut Vec<Posture>, sink: &mut Sink) {
    let path = r"Policies\Microsoft\Windows\DeviceGuard";
    let Some(looked) = look(root, path, "DeployConfigCIPolicy", sink) else { return };
    if let Some(number) = looked.number() {
        let file = below(root, path, sink)
            .and_then(|key| unless_damaged(key.value("ConfigCIPolicyFilePath"), sink))
            .and_then(|value| value.text())
            .unwrap_or_else(|| "an unnamed file".to_owned());
        let (words, effect) = if number == 0 {
            ("not deployed", Effect::Neutral)
        } else {
            ("deployed", Effect::Neutral)
        };
        let state = format!("policy {words} from {file}");
        settings.push(CODE_INTEGRITY.found(state, effect, looked.citation));
    }
}
