//! Access rules (D): who may control the service, its key, and the service control manager.

use super::basis::{CHANGE_LOGS, HIVE};
use super::staging::{ADMINISTRATORS, AUTHENTICATED, SYSTEM, command, no, rules, unknown, yes};
use super::story::{clip, commands, line};
use super::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::{AccessRule, AccessRules};
use crate::host::event::{Action, Subject};
use crate::host::fact::SettingKind;
use crate::host::service::SERVICE_CONTROL_MANAGER;
use crate::host::{Origin, Role};
use crate::time::format_short;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] =
    &[DENIED, OPEN_SERVICE, OPEN_MANAGER, OPEN_KEY, SET_BY_COMMAND];

/// `SERVICE_CHANGE_CONFIG`, `WRITE_DAC`, `WRITE_OWNER`, `GENERIC_WRITE`, `GENERIC_ALL` (winsvc.h, winnt.h).
const TAKES_SERVICE: u32 = 0x2 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
/// `KEY_SET_VALUE`, `KEY_CREATE_SUB_KEY`, `WRITE_DAC`, `WRITE_OWNER`, `GENERIC_WRITE`, `GENERIC_ALL`.
const TAKES_KEY: u32 = 0x2 | 0x4 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
const KEY_CREATE_SUB_KEY: u32 = 0x4;

const DENIED: Indicator = Indicator {
    id: "S01",
    family: Family::D,
    checklist: Question::Account,
    question: "Do its access rules deny administrators, users or Windows itself?",
    why: "A service that denies queries is not listed by services.msc, sc or Get-Service, and cannot be stopped or \
          deleted: it hides.",
    innocent: "None measured: Windows denies only Guests, and one licence manager the network.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Security /v Security",
        "sc sdshow <name> (live, as SYSTEM)",
        "Does `sc query` list it?",
    ],
    attack: &[technique("T1564"), technique("T1543.003")],
    weight: 35,
    hard: true,
    needs: &[HIVE],
    sources: &[
        "Measured: 802 descriptors, deny entries for Guests and (FlexNet) NETWORK only",
        "SigmaHQ a537cfc3-4297-4789-92b5-345bfd845ad0, 99cf1e02-00fb-4c0d-8375-563f978dfd37",
        "Atomic Red Team T1564-4, T1490-11",
    ],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let security = config.security.as_ref()?;
        let denied = effective(security)
            .find(|rule| !rule.allow && HIDDEN_FROM.iter().any(|(sid, _)| *sid == rule.sid))?;
        let because = format!(
            "The descriptor denies {} 0x{:x}: {}",
            label(&denied.sid),
            denied.mask,
            clip(&security.sddl)
        );
        Some(Hit::new(because, config.cite(r"Security\Security")))
    },
    examples: &[
        yes("denied to administrators", || {
            Scene::service("Agent").access(false, ADMINISTRATORS, 0x1_00f6)
        }),
        yes("denied to everyone", || Scene::hosted("VSS").access(false, "S-1-1-0", 0x1000_0000)),
        no("denied to Guests, as Windows does", || {
            Scene::hosted("p2psvc").access(false, "S-1-5-32-546", 0x1000_0000)
        }),
        no("a licence manager closed to the network", || {
            Scene::service("FlexNet").access(false, "S-1-5-2", 0x1000_0000)
        }),
        no("an allow entry", || Scene::service("Agent").access(true, ADMINISTRATORS, 0xf01ff)),
    ],
};

const OPEN_SERVICE: Indicator = Indicator {
    id: "S02",
    family: Family::D,
    checklist: Question::Account,
    question: "May ordinary users reconfigure it?",
    why: "Who may change its configuration can make it run anything as its account: an escalation, or a way back in.",
    innocent: "Careless vendors; it is a weakness then, and worth reporting as one.",
    verify: &[
        "sc sdshow <name> (live): CC is query, DC change, WD and WO take it over",
        "accesschk -c <name> (live)",
    ],
    attack: &[technique("T1574.011"), technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Measured: 802 descriptors, nobody but administrators, server operators, SYSTEM and service SIDs may",
    ],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let (what, sddl) = opening(config.security.as_ref()?, TAKES_SERVICE)?;
        let because = format!("{what} the service: {}", clip(sddl));
        Some(Hit::new(because, config.cite(r"Security\Security")))
    },
    examples: &[
        yes("everybody who logged on may change it", || {
            Scene::service("Agent").access(true, AUTHENTICATED, 0x2)
        }),
        yes("no DACL at all", || {
            Scene::service("Agent").configure(|config| {
                config.security = Some(AccessRules { null_dacl: true, ..AccessRules::default() });
            })
        }),
        no("users may start it", || Scene::service("Agent").access(true, AUTHENTICATED, 0x9d)),
        no("administrators may do everything", || {
            Scene::service("Agent").access(true, ADMINISTRATORS, 0xf01ff)
        }),
    ],
};

const OPEN_MANAGER: Indicator = Indicator {
    id: "S03",
    family: Family::D,
    checklist: Question::Account,
    question: "Has the service control manager been opened to others than administrators?",
    why: "With its own descriptor or an exemption from the remote access check, any account named there can create \
          a service as SYSTEM, from afar too.",
    innocent: "Some monitoring products ask for it so that they can do without an administrator.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\ServiceGroupOrder\Security",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control /v RemoteAccessExemption",
        "sc sdshow scmanager (live)",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 30,
    hard: true,
    needs: &[HIVE],
    sources: &[
        "Measured: the key does not exist in any of five hives",
        "SigmaHQ 6c8fbee5-dee8-49bc-851d-c3142d02aa47; Atomic Red Team T1569.002-7",
    ],
    since: "0.1.0",
    check: |scope| {
        if scope.service.name != SERVICE_CONTROL_MANAGER {
            return None;
        }
        let setting = [SettingKind::ScmSecurity, SettingKind::ScmRemoteExemption]
            .into_iter()
            .flat_map(|kind| scope.host.settings_of(kind))
            .find(|setting| !setting.value.ends_with("= 0"))?;
        let value = setting.rules.as_ref().map_or(setting.value.as_str(), |rules| &rules.sddl);
        let what = match setting.kind {
            SettingKind::ScmSecurity => "has a descriptor of its own",
            _ => "exempts callers from the remote access check",
        };
        let because = format!("The service control manager {what}: {}", clip(value));
        Some(Hit::new(because, setting.citation.clone()))
    },
    examples: &[
        yes("sc sdset scmanager", || {
            Scene::ghost(SERVICE_CONTROL_MANAGER)
                .setting(SettingKind::ScmSecurity, "D:(A;;KA;;;WD)")
        }),
        no("another service of such a host", || {
            Scene::service("Agent").setting(SettingKind::ScmSecurity, "D:(A;;KA;;;WD)")
        }),
    ],
};

const OPEN_KEY: Indicator = Indicator {
    id: "S04",
    family: Family::D,
    checklist: Question::Account,
    question: "May ordinary users write its registry key?",
    why: "Writing ImagePath, or adding a Performance sub-key, runs a program of the user's choice as the service.",
    innocent: "Two Windows 7 services shipped like that; old vendors' setups open their keys.",
    verify: &[
        "Registry Explorer: the key's permissions",
        "accesschk -kvuqsw HKLM\\SYSTEM\\CurrentControlSet\\Services\\<name> (live)",
    ],
    attack: &[technique("T1574.011")],
    weight: 15,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Measured: of 3,495 keys only RpcEptMapper and Dnscache of Windows 7, and Power Users on one product",
    ],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let windows_7 = ["RpcEptMapper", "Dnscache"]
            .iter()
            .any(|name| crate::text::same_name(name, &scope.service.name))
            && scope.host.build_number().is_none_or(|build| build < 9200);
        // Before Windows Vista everybody could add sub-keys to most services.
        let taken = if windows_7 || !scope.host.is_vista_or_later() {
            TAKES_KEY & !KEY_CREATE_SUB_KEY
        } else {
            TAKES_KEY
        };
        let (what, sddl) = opening(config.key_security.as_ref()?, taken)?;
        let because = format!("{what} the key: {}", clip(sddl));
        Some(Hit::new(because, config.citation.clone()))
    },
    examples: &[
        yes("users may set values", || {
            Scene::service("Agent").configure(|config| {
                config.key_security = Some(rules(SYSTEM, true, "S-1-5-32-545", 0x2));
            })
        }),
        no("users may read", || {
            Scene::service("Agent").configure(|config| {
                config.key_security = Some(rules(SYSTEM, true, "S-1-5-32-545", 0x2_0019));
            })
        }),
        no("Windows 7's name cache", || {
            Scene::hosted("Dnscache").windows("Windows 7 Professional", "7601.24214").configure(
                |config| config.key_security = Some(rules(SYSTEM, true, "S-1-5-32-545", 0x2_001d)),
            )
        }),
    ],
};

const SET_BY_COMMAND: Indicator = Indicator {
    id: "S05",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show its access rules being set?",
    why: "Hardly anybody sets the descriptor of a service by hand, except to hide it or to open it.",
    innocent: "Hardening scripts and monitoring setups use sc sdset.",
    verify: &[
        "EvtxECmd --inc 4688,4670: the descriptor after `sdset`",
        "ConvertFrom-SddlString puts it into words",
    ],
    attack: &[technique("T1564"), technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["SigmaHQ 98c5aeef-32d5-492f-b174-64a691896d25", "Microsoft Learn: sc sdset"],
    since: "0.1.0",
    check: |scope| {
        let set = commands(scope).find_map(|(event, command)| {
            let set =
                command.change("Security").or_else(|| command.change("Security\\Security"))?;
            Some((event, set.to_owned(), line(event)))
        });
        let (event, sddl, by) = set.or_else(|| {
            scope.events(Role::ObjectAccess).find_map(|event| match &event.action {
                Action::PermissionsChanged { new, image, .. } => {
                    Some((event, new.clone(), image.clone().unwrap_or_default()))
                }
                _ => None,
            })
        })?;
        let denies = sddl.to_uppercase().contains("(D;");
        let because = format!(
            "At {} `{}` set the descriptor{}.",
            format_short(event.time),
            if by.is_empty() { clip(&sddl) } else { by },
            if denies { ", with deny entries" } else { "" }
        );
        let weight = if denies { 30 } else { SET_BY_COMMAND.weight };
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("sc sdset with deny entries", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc sdset Agent D:(D;;DCLCWPDTSD;;;IU)(A;;CCLCSWRPWPDTLOCRRC;;;SY)",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        yes("4670", || {
            Scene::service("Agent")
                .event(
                    0,
                    Action::PermissionsChanged {
                        object: "Agent".to_owned(),
                        service: Some("Agent".to_owned()),
                        new: "D:(A;;CCDC;;;WD)".to_owned(),
                        image: None,
                        subject: Subject::default(),
                    },
                )
                .covered(Origin::ProcessEvents, crate::host::State::Complete)
        }),
        no("the descriptor was only shown", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc sdshow Agent",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        unknown("no log records commands", || Scene::service("Agent")),
    ],
};

/// Those from whom a service is hidden by denying them.
const HIDDEN_FROM: [(&str, &str); 6] = [
    ("S-1-1-0", "everyone"),
    ("S-1-5-4", "interactive users"),
    ("S-1-5-6", "services"),
    ("S-1-5-11", "authenticated users"),
    ("S-1-5-18", "SYSTEM"),
    ("S-1-5-32-544", "administrators"),
];

/// Those who are not administrators.
const ORDINARY: [(&str, &str); 8] = [
    ("S-1-1-0", "everyone"),
    ("S-1-5-2", "network users"),
    ("S-1-5-4", "interactive users"),
    ("S-1-5-7", "anonymous users"),
    ("S-1-5-11", "authenticated users"),
    ("S-1-5-32-545", "users"),
    ("S-1-5-32-546", "guests"),
    ("S-1-15-2-1", "apps"),
];

fn label(sid: &str) -> &str {
    let known = HIDDEN_FROM.iter().chain(&ORDINARY).find(|(known, _)| *known == sid);
    known.map_or(sid, |(_, label)| label)
}

fn effective(rules: &AccessRules) -> impl Iterator<Item = &AccessRule> {
    rules.entries.iter().filter(|rule| !rule.inherit_only)
}

/// Who that is not an administrator may take the object over, in words, with the descriptor.
fn opening(rules: &AccessRules, rights: u32) -> Option<(String, &str)> {
    if rules.null_dacl {
        return Some(("There is no DACL: everybody may change".to_owned(), &rules.sddl));
    }
    let rule = effective(rules).find(|rule| {
        let ordinary = ORDINARY.iter().any(|(sid, _)| *sid == rule.sid)
            // Domain Users and Domain Guests.
            || rule.sid.starts_with("S-1-5-21-")
                && (rule.sid.ends_with("-513") || rule.sid.ends_with("-514"));
        rule.allow && ordinary && rule.mask & rights != 0
    })?;
    let what = format!("The rules allow {} 0x{:x} and so to change", label(&rule.sid), rule.mask);
    Some((what, &rules.sddl))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inherit_only_entries_are_about_other_objects() {
        let mut open = rules(SYSTEM, true, AUTHENTICATED, 0xf003f);
        assert!(opening(&open, TAKES_KEY).is_some());
        open.entries[0].inherit_only = true;
        assert!(opening(&open, TAKES_KEY).is_none());
        let domain_users = rules(SYSTEM, true, "S-1-5-21-1-2-3-513", 0x2);
        assert!(opening(&domain_users, TAKES_SERVICE).is_some());
        let one_user = rules(SYSTEM, true, "S-1-5-21-1-2-3-1104", 0x2);
        assert!(opening(&one_user, TAKES_SERVICE).is_none());
    }
}
