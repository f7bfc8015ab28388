//! Access of its process to lsass.exe.

use super::agent_elsewhere;
use crate::checklist::knowledge::security::guard;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::place::is_in_program_files;
use crate::checklist::staging::{no, opened, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::image_path::leaf;
use crate::host::{Origin, Role};
use crate::time::format_short;

/// `PROCESS_VM_READ` (winnt.h).
const READS: u32 = 0x10;

pub(super) const LSASS: Indicator = Indicator {
    id: "E08",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process open lsass.exe to read its memory?",
    why: "The memory of lsass.exe holds the credentials of whoever is logged on; services run with the rights to read it.",
    innocent: "Antivirus, EDR and some monitoring agents do; the known ones and Windows' own are left out.",
    verify: &[
        "Sysmon 10: SourceImage, GrantedAccess, CallTrace (UNKNOWN modules, dbghelp.dll, comsvcs.dll)",
        "Which accounts were logged on then? Their credentials may be known.",
    ],
    attack: &[technique("T1003.001")],
    weight: 20,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &["Microsoft Learn: process security and access rights", "Sysmon event 10"],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() || is_stock(scope) || guard(&scope.service.name).is_some() {
            return None;
        }
        scope.events(Role::ProcessAccess).find_map(|event| {
            let Action::ProcessOpened { image, target, access, .. } = &event.action else {
                return None;
            };
            let mask = access.trim().trim_start_matches("0x");
            let reads = u32::from_str_radix(mask, 16).is_ok_and(|mask| mask & READS != 0);
            if !reads || !leaf(target).eq_ignore_ascii_case("lsass.exe") {
                return None;
            }
            let because = format!(
                "At {} {} opened lsass.exe with access {}.",
                format_short(event.time),
                clip(image),
                clip(access)
            );
            // Products nobody listed watch lsass.exe as well.
            let vendor = scope.service.image.as_ref().is_some_and(is_in_program_files);
            let weight = if vendor { 8 } else { LSASS.weight };
            Some(Hit::new(because, event.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("a dump", || agent_elsewhere().event(5, opened(r"C:\ProgramData\a.exe", "0x1fffff"))),
        no("only its name was asked for", || {
            agent_elsewhere().event(5, opened(r"C:\ProgramData\a.exe", "0x1000"))
        }),
        no("an antivirus", || {
            let path = r"C:\Program Files\ESET\ESET Security\ekrn.exe";
            Scene::service("ekrn")
                .image(path)
                .event(0, super::started(path, path))
                .event(5, opened(path, "0x1410"))
        }),
        unknown("no Sysmon log", || Scene::service("Agent")),
    ],
};
