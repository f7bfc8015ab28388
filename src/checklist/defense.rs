//! Defence impairment (D): protection, logging and backup switched off, and services that run in safe mode.

use super::basis::HIVE;
use super::knowledge::security::{Guard, Protection, guard};
use super::knowledge::{protection, stock};
use super::known_good::is_stock;
use super::staging::{command, no, set, start_type, unknown, yes};
use super::story::{clip, commands, line, sets, writes};
use super::{Family, Hit, Indicator, Need, Question, Scene, Scope, renumbered, technique};
use crate::host::config::{Epoch, Start};
use crate::host::event::{Action, Event, RegistryOperation};
use crate::host::fact::{Setting, SettingKind};
use crate::host::service_command::Verb;
use crate::host::{Origin, Role};
use crate::text::same_name;
use crate::time::{distance, format_short};

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    CORE_OFF,
    OTHER_OFF,
    UNPROTECTED,
    SAFE_BOOT,
    LOG_SETTINGS,
    FORMATTING_SWITCH,
    SWITCHED_OFF,
    LOG_MOVED,
];

const IMPAIR: super::Technique = renumbered("T1562.001", "T1685");
const LOGGING: super::Technique = renumbered("T1562.002", "T1685.001");

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

const CORE_OFF: Indicator = Indicator {
    id: "D01",
    family: Family::D,
    checklist: Question::What,
    question: "Is a core service of protection or logging disabled, or its key gone?",
    why: "Defender, the firewall and the event log are switched off before the rest of an intrusion; what happened \
          afterwards may not be in any log.",
    innocent: "A Windows image built without them; an administrator who disabled the firewall for good.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v Start",
        "EvtxECmd -f System.evtx --inc 7040: who changed the start type, and when",
        "Defender Operational 5001, 5010, 5012: protection turned off",
    ],
    attack: &[IMPAIR, LOGGING],
    weight: 32,
    hard: true,
    needs: &[HIVE],
    sources: &[
        "Measured: start types of six hives; antivirus by others sets Defender to demand start",
        "SigmaHQ ce72ef99-22f1-43d4-8695-419dcb5d9330",
    ],
    since: "0.1.0",
    check: |scope| {
        let guard = essential(scope)?;
        let Some(config) = scope.config() else {
            let earlier =
                scope.service.history.iter().find(|config| {
                    matches!(config.epoch, Epoch::ControlSet(_) | Epoch::History(_))
                })?;
            let because = format!(
                "{} has no key in the current control set; an earlier state still has it.",
                guard.product
            );
            return Some(Hit::new(because, earlier.citation.clone()));
        };
        (config.start == Some(Start::Disabled)).then(|| {
            Hit::new(
                format!("{} is disabled (Start 4){}.", guard.product, written(scope)),
                config.cite("Start"),
            )
        })
    },
    examples: &[
        yes("Defender disabled", || defender().number("Start", 4)),
        yes("the event log disabled", || Scene::hosted("EventLog").number("Start", 4)),
        yes("its key is gone, the last known good still has it", || {
            Scene::ghost("MpsSvc").before(Epoch::ControlSet(2), |config| {
                config.start = Some(Start::Auto);
            })
        }),
        no("Defender beside another antivirus", || defender().number("Start", 3)),
        no("Windows 7's anti-spyware, replaced by an antivirus", || {
            Scene::hosted("WinDefend").number("Start", 4)
        }),
        no("a service that Windows disables itself", || {
            Scene::hosted("RemoteRegistry").number("Start", 4)
        }),
    ],
};

const OTHER_OFF: Indicator = Indicator {
    id: "D02",
    family: Family::D,
    checklist: Question::What,
    question: "Is another service of protection, logging or backup disabled?",
    why: "Ransomware disables antivirus, EDR and backup agents by name before it encrypts.",
    innocent: "The product was replaced or its licence ended; administrators switch Windows Update off.",
    verify: &[
        "Is the product still licensed and managed on this computer? Ask its console when it last reported.",
        "EvtxECmd -f System.evtx --inc 7040,7036 for the service",
    ],
    attack: &[IMPAIR, technique("T1489")],
    weight: 25,
    hard: false,
    needs: &[HIVE],
    sources: &["SigmaHQ ce72ef99-22f1-43d4-8695-419dcb5d9330 (names of services)"],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let guard = guard(&scope.service.name)?;
        if essential(scope).is_some() || config.start != Some(Start::Disabled) {
            return None;
        }
        let weight = match guard.protection {
            Protection::Vendor => OTHER_OFF.weight,
            Protection::Backup => 20,
            // Administrators do switch these off, and antivirus by others does so to old Defenders.
            Protection::Core => 9,
        };
        let because = format!("{} is disabled (Start 4){}.", guard.product, written(scope));
        Some(Hit::new(because, config.cite("Start")).weighing(weight))
    },
    examples: &[
        yes("an EDR sensor", || Scene::service("SentinelAgent").number("Start", 4)),
        yes("Windows Update, a small matter", || Scene::hosted("wuauserv").number("Start", 4)),
        no("Defender, which D01 judges", || defender().number("Start", 4)),
        no("McAfee's services start on demand", || Scene::service("McShield").number("Start", 3)),
        no("network inspection on demand, the default", || {
            Scene::driver("WdNisDrv").number("Start", 3)
        }),
        no("some other service", || Scene::service("Agent").number("Start", 4)),
    ],
};

const UNPROTECTED: Indicator = Indicator {
    id: "D03",
    family: Family::D,
    checklist: Question::Account,
    question: "Was its protection as a process (LaunchProtected) removed or lowered?",
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
    check: |scope| {
        let config = scope.config()?;
        let expected = protection::expected(&scope.service.name)?;
        let level = config.launch_protected.unwrap_or(0);
        let build = scope.host.build_number()?;
        // On a build that was not measured only the guards are known to have kept their protection.
        let known = stock::measured(build) || guard(&scope.service.name).is_some();
        let stock = stock::service(&scope.service.name)?;
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
    },
    examples: &[
        yes("Defender without protection", || {
            defender().windows("Windows 10 Pro", "18363.720").without("LaunchProtected")
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

const SAFE_BOOT: Indicator = Indicator {
    id: "D04",
    family: Family::D,
    checklist: Question::Started,
    question: "Is it registered to run in safe mode, though neither Windows' own nor a security product?",
    why: "Ransomware restarts into safe mode, where protection does not run and its own service does; a remote \
          access tool listed there stays reachable.",
    innocent: "Disk encryption, backup and repair tools register themselves.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Network\<name>",
        "bcdedit (live) or the BCD store: is safeboot set?",
    ],
    attack: &[renumbered("T1562.009", "T1688"), technique("T1112")],
    weight: 30,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "SigmaHQ 1547e27c-3974-43e2-a7d7-7f484fb928ec, d7662ff6-9e97-4596-a61d-9839e32dee8d",
        "Measured: 60 to 84 entries below Minimal, nearly all Windows' own",
    ],
    since: "0.1.0",
    check: |scope| {
        let name = &scope.service.name;
        if stock::service(name).is_some() || guard(name).is_some() || !scope.service.in_registry() {
            return None;
        }
        let image = scope.service.image.as_ref().filter(|image| image.extension() == "sys");
        let file = image.map_or("", |image| image.leaf());
        let entry = scope.host.safe_boot.iter().find(|entry| {
            same_name(&entry.name, name)
                || !file.is_empty() && entry.name.eq_ignore_ascii_case(file)
        })?;
        let because = format!("SafeBoot\\{}\\{} = {}.", entry.mode, entry.name, entry.kind);
        Some(Hit::new(because, entry.citation.clone()))
    },
    examples: &[
        yes("a service of its own", || Scene::service("Updater").safe_boot("Network", "Updater")),
        no("an antivirus", || Scene::service("ekrn").safe_boot("Minimal", "ekrn")),
        no("a stock service", || Scene::hosted("EventLog").safe_boot("Minimal", "EventLog")),
        no("an entry of another service", || Scene::service("Agent").safe_boot("Minimal", "Other")),
    ],
};

const LOG_SETTINGS: Indicator = Indicator {
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
    check: |scope| {
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

const FORMATTING_SWITCH: Indicator = Indicator {
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
    check: |scope| {
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

const LOG_MOVED: Indicator = Indicator {
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
    check: |scope| {
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

const SWITCHED_OFF: Indicator = Indicator {
    id: "D06",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show this service of protection, logging or backup being switched off, even if it is on again?",
    why: "Switching it off for some minutes is enough to run what it would have stopped or recorded.",
    innocent: "Servicing, updates of the product, and administrators in search of a fault.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7040,7036: UserId and the minutes between off and on",
        "What ran in that gap?",
    ],
    attack: &[IMPAIR, LOGGING],
    weight: 15,
    hard: false,
    needs: &[Need::AnyPart(&[
        Origin::SystemLog,
        Origin::ProcessEvents,
        Origin::RegistryEvents,
        Origin::PowerShellLog,
    ])],
    sources: &[
        "SigmaHQ ce72ef99-22f1-43d4-8695-419dcb5d9330",
        "OTRF Security-Datasets: EventLog Start 2 to 4 by reg.exe, services.exe, payload.exe",
    ],
    since: "0.1.0",
    check: |scope| {
        let guard = guard(&scope.service.name)?;
        let (event, what, full) = switched_off(scope)?;
        let weight = match guard.protection {
            Protection::Core if essential(scope).is_none() => 6,
            _ if full => SWITCHED_OFF.weight,
            _ => 10,
        };
        let because = format!("{} at {}: {what}.", guard.product, format_short(event.time));
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("7040 to disabled, later restored", || {
            Scene::hosted("EventLog")
                .event(0, start_type("EventLog", "auto start", "disabled", Start::Disabled))
                .event(600, start_type("EventLog", "disabled", "auto start", Start::Auto))
        }),
        yes("sc config start= disabled", || {
            defender().event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc  config WinDefend start= disabled",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        no("the routine of network inspection", || {
            Scene::driver("WdNisDrv").event(
                0,
                set("WdNisDrv", "Start", "DWORD (0x00000003)", r"C:\Windows\System32\services.exe"),
            )
        }),
        no("the noise of a quiet system", || {
            Scene::hosted("BITS")
                .event(0, start_type("BITS", "auto start", "demand start", Start::Demand))
        }),
        no("a deletion writes Start 4 too", || {
            let services = r"C:\Windows\System32\services.exe";
            Scene::ghost("SentinelAgent")
                .event(0, set("SentinelAgent", "DeleteFlag", "DWORD (0x00000001)", services))
                .event(0, set("SentinelAgent", "Start", "DWORD (0x00000004)", services))
        }),
        unknown("no logs", defender),
    ],
};

/// The first event that disables (true) or merely stops (false) it.
fn switched_off<'a>(scope: &Scope<'a>) -> Option<(&'a Event, String, bool)> {
    let by_manager = scope.events(Role::StartTypeChange).find_map(|event| match &event.action {
        Action::StartTypeChanged { old, start: Some(Start::Disabled), .. } => {
            let by = event.user_sid.as_deref().unwrap_or("somebody");
            Some((event, format!("start type changed from `{old}` to disabled by {by}"), true))
        }
        _ => None,
    });
    let by_write = || {
        writes(scope).find_map(|(event, change)| {
            let off = sets(change, "Start").is_some_and(is_disabled) && !in_deletion(scope, event);
            off.then(|| (event, format!("Start set to 4 by {}", change.image), true))
        })
    };
    let by_command = || {
        commands(scope).find_map(|(event, command)| {
            let disables = command.change("Start").is_some_and(is_disabled);
            let full = disables || command.verb == Verb::Delete;
            (full || command.verb == Verb::Stop)
                .then(|| (event, format!("`{}`", line(event)), full))
        })
    };
    by_manager.or_else(by_write).or_else(by_command)
}

/// `DeleteService` writes `DeleteFlag` and `Start` 4 together, before the key goes.
fn in_deletion(scope: &Scope<'_>, event: &Event) -> bool {
    writes(scope).any(|(other, change)| {
        let gone = change.operation == RegistryOperation::KeyDeleted && change.target.is_empty();
        (gone || sets(change, "DeleteFlag").is_some())
            && distance(other.time, event.time) <= jiff::SignedDuration::from_secs(5)
    })
}

/// `disabled`, `4`, `DWORD (0x00000004)`.
fn is_disabled(data: &str) -> bool {
    let data = data.trim();
    data.eq_ignore_ascii_case("disabled")
        || data == "4"
        || data.contains("0x00000004")
        || data == "0x4"
}

/// The guard it is, where it is an essential one. Before Windows 8 `WinDefend` ran in svchost.exe and was a
/// mere anti-spyware, which antivirus products did disable.
fn essential(scope: &Scope<'_>) -> Option<&'static Guard> {
    let guard = guard(&scope.service.name)?;
    let old = same_name(guard.name, "WinDefend")
        && scope.service.image.as_ref().is_some_and(|image| image.leaf() == "svchost.exe");
    (!old && ESSENTIAL.iter().any(|name| same_name(name, guard.name))).then_some(guard)
}

fn written(scope: &Scope<'_>) -> String {
    scope
        .service
        .last_write()
        .map(|time| format!("; key last written {}", format_short(time)))
        .unwrap_or_default()
}

/// The value for which people make the MiniNt key: it lets Windows format a plain volume with ReFS.
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

fn defender() -> Scene {
    Scene::service("WinDefend")
        .image(r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.2001.10-0\MsMpEng.exe""#)
        .number("LaunchProtected", 3)
}
