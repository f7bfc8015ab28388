//! Settings that keep the event log from recording, or move its files.

use super::LOGGING;
use crate::checklist::basis::HIVE;
use crate::checklist::staging::{no, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene};
use crate::host::fact::{Setting, SettingKind};
use crate::text::same_name;

pub(super) const LOG_SETTINGS: Indicator = Indicator {
    id: "D05",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Is the event log told not to record, or to let nobody read?",
    why: "The MiniNt key, an event trace that does not start, or a channel closed to its readers leave the host \
          without records, while the service looks healthy.",
    innocent: "Windows PE, and images captured from it, have the MiniNt key.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\MiniNt",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\WMI\Autologger\EventLog-Security /v Start",
    ],
    attack: &[LOGGING],
    weight: 20,
    hard: true,
    needs: &[HIVE],
    sources: &[
        "SigmaHQ 4f281b83-0200-4b34-bf35-d24687ea57c2",
        "Atomic Red Team T1685.001-8, -9, -10",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !same_name(&scope.service.name, "EventLog") {
            return None;
        }
        scope.host.settings.iter().find_map(|setting| {
            let (what, weight) = log_setting(setting)?;
            let because = format!("{what}: {}", clip(&setting.value));
            Some(Hit::new(because, setting.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("the MiniNt key", || Scene::hosted("EventLog").setting(SettingKind::MiniNt, "present")),
        yes("an event trace that does not start", || {
            Scene::hosted("EventLog")
                .setting(SettingKind::Autologger, r"EventLog-Security\Start = 0")
        }),
        no("the default file", || {
            Scene::hosted("EventLog").setting(
                SettingKind::EventLogChannel,
                r"Security\File = %SystemRoot%\System32\winevt\Logs\Security.evtx",
            )
        }),
        no("a trace that starts", || {
            Scene::hosted("EventLog").setting(SettingKind::Autologger, r"EventLog-System\Start = 1")
        }),
    ],
};

pub(super) const FORMATTING_SWITCH: Indicator = Indicator {
    id: "D08",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Is there a MiniNt key for the sake of formatting volumes with ReFS?",
    why: "Whatever it was made for, with this key Windows takes itself for its own setup, and the event log service \
          may not record.",
    innocent: "The value AllowRefsFormatOverNonmirrorVolume in it is a known recipe of administrators and of \
               partition tools.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\MiniNt",
        "Does the Security log hold events from after the key's last-write time?",
    ],
    attack: &[LOGGING],
    weight: 12,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: one of three Windows 10 hives has the key with this value"],
    since: "0.1.0",
    check: &|scope| {
        if !same_name(&scope.service.name, "EventLog") {
            return None;
        }
        let mut keys = scope.host.settings_of(SettingKind::MiniNt);
        let key = keys.find(|setting| setting.value.to_lowercase().contains(FORMATTING))?;
        let because = format!("The MiniNt key exists: {}", clip(&key.value));
        Some(Hit::new(because, key.citation.clone()))
    },
    examples: &[
        yes("the recipe for ReFS", || {
            Scene::hosted("EventLog")
                .setting(SettingKind::MiniNt, "AllowRefsFormatOverNonmirrorVolume = 18")
        }),
        no("the bare key", || Scene::hosted("EventLog").setting(SettingKind::MiniNt, "present")),
    ],
};

pub(super) const LOG_MOVED: Indicator = Indicator {
    id: "D07",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Is a log of the event log service written to another file than the usual one?",
    why: "Whoever looks in the usual folder finds an old log or none; collectors look there too.",
    innocent: "Servers keep their logs on a drive of their own.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Security /v File",
        "Collect the file it names, and ask who moved it.",
    ],
    attack: &[LOGGING],
    weight: 15,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "OTRF Security-Datasets: wevtutil moves the Security log",
        "Atomic Red Team T1685.001-9",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !same_name(&scope.service.name, "EventLog") {
            return None;
        }
        let mut channels = scope.host.settings_of(SettingKind::EventLogChannel);
        let moved = channels.find(|setting| {
            setting.value.to_lowercase().split_once('=').is_some_and(|(name, data)| {
                let usual = [r"\system32\winevt\logs\", r"\system32\config\"];
                name.trim().ends_with("file") && !usual.iter().any(|folder| data.contains(folder))
            })
        })?;
        Some(Hit::new(
            format!("A log is written to {}.", clip(&moved.value)),
            moved.citation.clone(),
        ))
    },
    examples: &[
        yes("the Security log in a temporary folder", || {
            Scene::hosted("EventLog")
                .setting(SettingKind::EventLogChannel, r"Security\File = C:\Windows\Temp\s.evtx")
        }),
        no("the usual file", || {
            Scene::hosted("EventLog").setting(
                SettingKind::EventLogChannel,
                r"Security\File = %SystemRoot%\System32\winevt\Logs\Security.evtx",
            )
        }),
    ],
};

/// The value for which people make the `MiniNt` key: it lets Windows format a plain volume with `ReFS`.
const FORMATTING: &str = "allowrefsformatover";

/// What is wrong with a setting of the event log, and how much it weighs.
fn log_setting(setting: &Setting) -> Option<(&'static str, i16)> {
    let lower = setting.value.to_lowercase();
    let data = lower.rsplit('=').next().unwrap_or_default().trim();
    match setting.kind {
        SettingKind::MiniNt if !lower.contains(FORMATTING) => Some(("The MiniNt key exists", 25)),
        SettingKind::Autologger if data == "0" => Some(("An event trace does not start", 20)),
        SettingKind::EventLogChannel => {
            let denied = setting.rules.as_ref()?.entries.iter().any(|rule| {
                !rule.allow
                    && matches!(
                        rule.sid.as_str(),
                        "S-1-1-0" | "S-1-5-11" | "S-1-5-18" | "S-1-5-32-544"
                    )
            });
            denied.then_some(("A log is closed to its readers", 20))
        }
        _ => None,
    }
}
