//! Drivers that its process brought.

use super::agent_elsewhere;
use crate::checklist::knowledge::security::guard;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::place::is_in_program_files;
use crate::checklist::staging::{dropped, installed, no, unknown, yes};
use crate::checklist::story::{clip, follows};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::{ImagePath, Origin, Role};
use crate::time::format_short;

pub(super) const BROUGHT: Indicator = Indicator {
    id: "E12",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process write a driver that was installed or loaded soon after?",
    why: "Tools that kill protection bring a signed driver with a known hole, load it and act from the kernel.",
    innocent: "Hardware tools and monitors carry their driver with them; products in Program Files are left out.",
    verify: &[
        "Sysmon 11 and 6: the file, its hash and signer; 7045 of type kernel mode driver",
        "Look the hash up among the known vulnerable drivers.",
    ],
    attack: &[technique("T1068"), technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &[
        "LOLDrivers: how vulnerable drivers are brought",
        "SigmaHQ 2c4523d5-d481-4ed0-8ec3-7fbf0cb41a75",
    ],
    since: "0.1.0",
    check: &|scope| {
        let vendor = scope.service.image.as_ref().is_some_and(is_in_program_files);
        let quiet = scope.service.is_driver()
            || vendor
            || agent(scope).is_some()
            || is_stock(scope)
            || guard(&scope.service.name).is_some();
        if quiet {
            return None;
        }
        scope.events(Role::FileCreation).find_map(|event| {
            let Action::FileCreated { path, .. } = &event.action else { return None };
            let file = ImagePath::of_file(path);
            if file.extension() != "sys" {
                return None;
            }
            let (loaded, name) = scope.overview.driver_from(&file.normalized, event.time)?;
            if !follows(event.time, loaded.time, scope.host.window) {
                return None;
            }
            let because = format!(
                "At {} its process wrote {}, the driver of {name} from {}.",
                format_short(event.time),
                clip(path),
                format_short(loaded.time)
            );
            Some(Hit::new(because, event.citation.clone()).and(loaded.citation.clone()))
        })
    },
    examples: &[
        yes("a driver written, then installed", || {
            agent_elsewhere()
                .event(5, dropped(r"C:\ProgramData\a.exe", r"C:\Windows\Temp\gdrvx.sys"))
                .event(7, installed("gdrvx", r"\??\C:\Windows\Temp\gdrvx.sys"))
        }),
        no("a text file", || {
            agent_elsewhere()
                .event(5, dropped(r"C:\ProgramData\a.exe", r"C:\ProgramData\a.log"))
                .event(7, installed("gdrvx", r"\??\C:\Windows\Temp\gdrvx.sys"))
        }),
        no("a driver that nobody loads", || {
            agent_elsewhere()
                .event(5, dropped(r"C:\ProgramData\a.exe", r"C:\Windows\Temp\gdrvx.sys"))
        }),
        unknown("no Sysmon log", || Scene::service("Agent")),
    ],
};
