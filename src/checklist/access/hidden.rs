//! Access rules that hide a service.

use super::{HIDDEN_FROM, effective, label};
use crate::checklist::basis::HIVE;
use crate::checklist::staging::{ADMINISTRATORS, no, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};

pub(super) const DENIED: Indicator = Indicator {
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
    check: &|scope| {
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
