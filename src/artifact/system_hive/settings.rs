//! Settings that concern every service: the service control manager, safe mode, the event log.

use super::identity::{find, offset};
use super::{cite_key, is_one_of, provenance, told};
use crate::artifact::Sink;
use crate::artifact::hive::{Key, RightsKind, Value};
use crate::artifact::hive_file::unless_damaged;
use crate::artifact::service_values::access_rules;
use crate::host::fact::{SafeBootEntry, Setting, SettingKind};
use crate::host::{Citation, Fact};
use crate::text::fold;

/// Values of a channel's key that say where it is kept, for how long, and who may read it.
const CHANNEL_VALUES: [&str; 3] = ["CustomSD", "File", "Retention"];

pub(super) fn read(set: &Key<'_>, sink: &mut Sink) {
    scm_security(set, sink);
    for (path, name) in [
        ("Control", "RemoteAccessExemption"),
        ("Control\\SecurePipeServers\\SCM", "RemoteAccessCheckExemptionList"),
    ] {
        if let Some((value, citation)) = find(set, path, name, sink) {
            let words = format!("{} = {}", value.name, words(&value));
            setting(SettingKind::ScmRemoteExemption, words, citation, sink);
        }
    }
    if let Some((value, citation)) = find(set, "Control", "ServiceControlManagerExtension", sink) {
        setting(SettingKind::ScmExtension, words(&value), citation, sink);
    }
    if let Some(key) = unless_damaged(set.subkey("Control\\MiniNt"), sink) {
        let citation = cite_key(&key, sink);
        let values = told(key.values(), key.path(), sink);
        let values = values.iter().map(|value| format!("{} = {}", value.name, words(value)));
        let inside = values.collect::<Vec<_>>().join(", ");
        let present =
            if inside.is_empty() { "present".into() } else { format!("present: {inside}") };
        setting(SettingKind::MiniNt, present, citation, sink);
    }
    event_log_channels(set, sink);
    autologgers(set, sink);
    safe_boot(set, sink);
}

fn setting(kind: SettingKind, value: String, citation: Citation, sink: &mut Sink) {
    sink.fact(Fact::Setting(Setting { kind, value, rules: None, citation }));
}

fn scm_security(set: &Key<'_>, sink: &mut Sink) {
    let path = "Control\\ServiceGroupOrder\\Security";
    let Some((value, citation)) = find(set, path, "Security", sink) else { return };
    match access_rules(&value.data, RightsKind::Key) {
        Ok(rules) => sink.fact(Fact::Setting(Setting {
            kind: SettingKind::ScmSecurity,
            value: rules.sddl.clone(),
            rules: Some(rules),
            citation,
        })),
        Err(problem) => {
            sink.partial(format!("{path}\\Security: {problem}"));
            setting(SettingKind::ScmSecurity, words(&value), citation, sink);
        }
    }
}

fn event_log_channels(set: &Key<'_>, sink: &mut Sink) {
    let Some(event_log) = unless_damaged(set.subkey("Services\\EventLog"), sink) else { return };
    for channel in told(event_log.subkeys(), event_log.path(), sink) {
        let prefix = channel.name();
        values(&channel, &CHANNEL_VALUES, SettingKind::EventLogChannel, prefix, sink);
    }
}

fn autologgers(set: &Key<'_>, sink: &mut Sink) {
    let path = "Control\\WMI\\Autologger";
    let Some(autologger) = unless_damaged(set.subkey(path), sink) else { return };
    for session in told(autologger.subkeys(), autologger.path(), sink) {
        if fold(session.name()).starts_with("EVENTLOG-") {
            values(&session, &["Start"], SettingKind::Autologger, session.name(), sink);
        }
    }
}

/// One setting per value: `Security File = C:\x.evtx`.
fn values(key: &Key<'_>, wanted: &[&str], kind: SettingKind, prefix: &str, sink: &mut Sink) {
    for value in told(key.values(), key.path(), sink) {
        if is_one_of(&value.name, wanted) {
            let origin = provenance(value.from_log);
            let citation = cite_key(key, sink).value(&value.name, offset(&value), origin);
            let words = format!("{prefix} {} = {}", value.name, words(&value));
            setting(kind, words, citation, sink);
        }
    }
}

fn safe_boot(set: &Key<'_>, sink: &mut Sink) {
    for mode in ["Minimal", "Network"] {
        let path = format!("Control\\SafeBoot\\{mode}");
        let Some(key) = unless_damaged(set.subkey(&path), sink) else { continue };
        for entry in told(key.subkeys(), key.path(), sink) {
            let kind = unless_damaged(entry.value(""), sink).and_then(|value| value.text());
            let citation = cite_key(&entry, sink);
            sink.fact(Fact::SafeBoot(SafeBootEntry {
                mode: mode.to_owned(),
                name: entry.name().to_owned(),
                kind: kind.unwrap_or_default(),
                citation,
            }));
        }
    }
}

/// Data in words.
fn words(value: &Value) -> String {
    let number = value.dword().map(u64::from).or_else(|| value.qword());
    let text = || value.texts().map(|texts| texts.join(", "));
    let bytes = || format!("{} bytes of {}", value.data.len(), value.kind);
    number.map(|number| number.to_string()).or_else(text).unwrap_or_else(bytes)
}
