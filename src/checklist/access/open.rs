//! Access rules that let ordinary users take something over: the service, its key, the manager.

use super::{effective, label};
use crate::checklist::basis::HIVE;
use crate::checklist::staging::{ADMINISTRATORS, AUTHENTICATED, SYSTEM, no, rules, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::AccessRules;
use crate::host::fact::SettingKind;
use crate::host::service::SERVICE_CONTROL_MANAGER;
use crate::sid::ordinary_users;

/// `SERVICE_CHANGE_CONFIG`, `WRITE_DAC`, `WRITE_OWNER`, `GENERIC_WRITE`, `GENERIC_ALL` (winsvc.h, winnt.h).
const TAKES_SERVICE: u32 = 0x2 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
/// `KEY_SET_VALUE`, `KEY_CREATE_SUB_KEY`, `WRITE_DAC`, `WRITE_OWNER`, `GENERIC_WRITE`, `GENERIC_ALL`.
const TAKES_KEY: u32 = 0x2 | 0x4 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
const KEY_CREATE_SUB_KEY: u32 = 0x4;

pub(super) const OPEN_SERVICE: Indicator = Indicator {
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
    check: &|scope| {
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

pub(super) const OPEN_MANAGER: Indicator = Indicator {
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
    check: &|scope| {
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

pub(super) const OPEN_KEY: Indicator = Indicator {
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
    check: &|scope| {
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

/// Who that is not an administrator may take the object over, in words, with the descriptor.
fn opening(rules: &AccessRules, rights: u32) -> Option<(String, &str)> {
    if rules.null_dacl {
        return Some(("There is no DACL: everybody may change".to_owned(), &rules.sddl));
    }
    let rule = effective(rules).find(|rule| {
        rule.allow && ordinary_users(&rule.sid).is_some() && rule.mask & rights != 0
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
