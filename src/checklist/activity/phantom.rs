//! Libraries that its process found although Windows has none of that name.

use crate::checklist::staging::{hosted_running, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::image_path::leaf;
use crate::host::program_file::phantom::phantoms;
use crate::host::{ImagePath, Origin, Role};
use crate::time::format_short;

pub(super) const LOADED: Indicator = Indicator {
    id: "E30",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process load a library that the service asks for and Windows does not have?",
    why: "The service runs it with its own rights. Neither a value nor the service's own events change, and the file may be \
          gone by the time the image is taken.",
    innocent: "Editions of Windows with the role have the library in System32, signed by Microsoft, which does not count.",
    verify: &[
        "Sysmon 7: ImageLoaded, Signed, Signature, Hashes, ProcessId of the svchost.exe",
        "Who wrote the file (Sysmon 11), and was the service stopped and started then (4688: sc, net)?",
    ],
    attack: &[technique("T1574.001")],
    weight: 30,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &[
        "sbousseaden/EVTX-ATTACK-SAMPLES: cdpsgshims.dll, ualapi.dll, windowscoredeviceinfo.dll loaded",
        "src/host/program_file/phantom_dlls.tsv",
    ],
    since: "0.1.0",
    check: &|scope| {
        scope.events(Role::ModuleLoad).find_map(|event| {
            let Action::ModuleLoaded { module, signed, image, .. } = &event.action else {
                return None;
            };
            let name = leaf(module);
            let mut missed = phantoms(&scope.service.name);
            if !missed.any(|one| one.eq_ignore_ascii_case(name)) {
                return None;
            }
            let weight = match signed {
                Some(true) if ImagePath::of_file(module).is_below(r"c:\windows\system32") => {
                    return None;
                }
                Some(true) => 12,
                _ => LOADED.weight,
            };
            let state = if *signed == Some(true) { "signed" } else { "unsigned" };
            let because = format!(
                "At {} {} loaded \"{}\", {state}; Windows has no library of that name.",
                format_short(event.time),
                leaf(image),
                clip(module)
            );
            Some(Hit::new(because, event.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("cdpsgshims.dll from a folder of the Path", || {
            hosted_running("CDPSvc").event(1, loaded(r"C:\Tools\cdpsgshims.dll", false))
        }),
        no("the one of Windows' load balancing", || {
            hosted_running("IKEEXT").event(1, loaded(r"C:\Windows\System32\wlbsctrl.dll", true))
        }),
        no("a service that asks for no such library", || {
            hosted_running("Themes").event(1, loaded(r"C:\Tools\cdpsgshims.dll", false))
        }),
        unknown("Sysmon is not there", || Scene::hosted("CDPSvc")),
    ],
};

fn loaded(module: &str, signed: bool) -> Action {
    Action::ModuleLoaded {
        process_id: Some(50),
        image: r"C:\Windows\System32\svchost.exe".to_owned(),
        module: module.to_owned(),
        signed: Some(signed),
    }
}
