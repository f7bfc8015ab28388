//! Signatures of what was loaded for it.

use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::{Origin, Role};
use crate::time::format_short;

pub(super) const UNSIGNED: Indicator = Indicator {
    id: "E11",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did Sysmon see its driver or service DLL loaded without a valid signature?",
    why: "64-bit Windows loads unsigned drivers only in test mode or after its checks were switched off, and \
          Windows' own DLLs are all signed.",
    innocent: "32-bit Windows, test machines, and small vendors' DLLs.",
    verify: &["Sysmon 6 and 7: Signed, SignatureStatus, Hashes", "bcdedit (live): testsigning"],
    attack: &[technique("T1553.006"), technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &["Sysmon documentation: events 6 and 7", "Microsoft Learn: driver signing policy"],
    since: "0.1.0",
    check: &|scope| {
        let loads = scope.events(Role::DriverLoad).chain(scope.events(Role::ModuleLoad));
        loads.into_iter().find_map(|event| {
            let file = match &event.action {
                Action::DriverLoaded { image, signed: Some(false), .. } => image,
                Action::ModuleLoaded { module, signed: Some(false), .. } => module,
                _ => return None,
            };
            let because = format!("At {} {file} was loaded unsigned.", format_short(event.time));
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("an unsigned driver", || Scene::driver("rk").event(0, driver_load("rk", false))),
        no("a signed driver", || Scene::driver("rk").event(0, driver_load("rk", true))),
        unknown("Sysmon is not there", || Scene::driver("rk")),
    ],
};

fn driver_load(name: &str, signed: bool) -> Action {
    Action::DriverLoaded {
        image: format!(r"C:\Windows\System32\drivers\{name}.sys"),
        hashes: String::new(),
        signed: Some(signed),
        signature: None,
    }
}
