//! What confines it: privileges, the service SID, its distance from the desktop.

use super::difference;
use crate::checklist::basis::HIVE;
use crate::checklist::known_good::{agent, is_new_program};
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::{Data, Epoch};

pub(super) const INTERACTIVE: Indicator = Indicator {
    id: "A06",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Is it a new service that may interact with the desktop?",
    why: "A window of LocalSystem on the user's desktop can be driven by the user's programs.",
    innocent: "Old software from the time before Windows Vista; current Windows ignores the flag.",
    verify: &["Type of the key: bit 0x100", "EvtxECmd -f System.evtx --inc 7030"],
    attack: &[technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured on six hives: 1 to 3 a host (Spooler, UI0Detect, PrintNotify, VMTools)"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let kind = config.service_type?;
        (kind.is_interactive() && is_new_program(scope) && agent(scope).is_none())
            .then(|| Hit::new(format!("Type is 0x{:x}: {kind}.", kind.0), config.cite("Type")))
    },
    examples: &[
        yes("a new interactive service", || Scene::service("Agent").number("Type", 0x110)),
        no("the spooler, always interactive", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .number("Type", 0x110)
        }),
        no("an ordinary service", || Scene::service("Agent")),
    ],
};

pub(super) const WEAKER: Indicator = Indicator {
    id: "A08",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Has it more privileges, or a weaker service SID, than in an earlier state?",
    why: "RequiredPrivileges and ServiceSidType confine a service; without them whatever runs in it has all that \
          its account has.",
    innocent: "An update of Windows or of the product changed what it needs.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v RequiredPrivileges",
        "sc qprivs <name> (live), and the same on a clean host",
    ],
    attack: &[technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[HIVE],
    sources: &["Microsoft Learn: SERVICE_REQUIRED_PRIVILEGES_INFO, SERVICE_SID_INFO"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let gained = difference(scope, "RequiredPrivileges", |before, now| {
            let before = before.unwrap_or_default();
            !before.is_empty()
                && now.is_none_or(|now| {
                    POWERFUL.iter().any(|one| now.contains(one) && !before.contains(one))
                })
        });
        let lost = difference(scope, "ServiceSidType", |before, now| {
            let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
            // 3 restricted, 1 unrestricted, 0 none: less is weaker.
            number(before).unwrap_or(0) > number(now).unwrap_or(0)
        });
        let found = gained.or(lost)?;
        let because = format!(
            "{} is `{}`; in {} it was `{}`.",
            found.field,
            found.now.as_deref().unwrap_or("absent"),
            found.against,
            found.before.as_deref().unwrap_or("absent")
        );
        let mut hit = Hit::new(because, config.cite(&found.field));
        if let Some(citation) = &found.citation {
            hit = hit.and(citation.clone());
        }
        Some(hit)
    },
    examples: &[
        yes("its privileges are no longer confined", || {
            Scene::service("Agent").before(Epoch::ControlSet(2), |config| {
                config.values.push(raw("RequiredPrivileges", 7, "SeChangeNotifyPrivilege"));
            })
        }),
        no("nothing changed", || Scene::service("Agent").before(Epoch::ControlSet(2), |_| {})),
        no("a privilege less", || {
            Scene::service("Agent")
                .value("RequiredPrivileges", 7, Data::Texts(vec!["SeAuditPrivilege".to_owned()]))
                .before(Epoch::ControlSet(2), |config| {
                    for value in &mut config.values {
                        if value.name == "RequiredPrivileges" {
                            value.data = Data::Texts(vec![
                                "SeAuditPrivilege".to_owned(),
                                "SeDebugPrivilege".to_owned(),
                            ]);
                        }
                    }
                })
        }),
    ],
};

/// Privileges that amount to the whole host.
const POWERFUL: [&str; 9] = [
    "SeDebugPrivilege",
    "SeTcbPrivilege",
    "SeLoadDriverPrivilege",
    "SeImpersonatePrivilege",
    "SeAssignPrimaryTokenPrivilege",
    "SeTakeOwnershipPrivilege",
    "SeRestorePrivilege",
    "SeBackupPrivilege",
    "SeCreateTokenPrivilege",
];

fn raw(name: &str, kind: u32, text: &str) -> crate::host::config::RawValue {
    crate::host::config::RawValue {
        name: name.to_owned(),
        kind,
        data: Data::Texts(vec![text.to_owned()]),
        offset: 0x3000,
        provenance: crate::host::Provenance::Live,
    }
}
