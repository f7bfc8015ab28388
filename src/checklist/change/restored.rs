//! A program that was exchanged, used and put back.

use jiff::Timestamp;

use crate::checklist::basis::CHANGE_LOGS;
use crate::checklist::known_good::agent;
use crate::checklist::place::is_in_trusted_folder;
use crate::checklist::staging::{command, no, set, unknown, yes};
use crate::checklist::story::{clip, commands, created_near, follows, sets, writes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::shell::is_shell;
use crate::host::{Event, ImagePath};
use crate::time::format_short;

pub(super) const PUT_BACK: Indicator = Indicator {
    id: "W29",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was its program exchanged for another and put back soon after?",
    why: "Whoever borrows a service for one command (SCShell and its kin) sets its ImagePath, starts it and restores it: \
          afterwards the registry shows nothing.",
    innocent: "An administrator who tried something and took it back.",
    verify: &[
        "Sysmon 13, 4657, 4688: both values of ImagePath, their times, and who set them",
        "What did services.exe start in between (4688, Sysmon 1)?",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 25,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["SCShell: ChangeServiceConfigA, StartService, ChangeServiceConfigA"],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() {
            return None;
        }
        let sets = image_paths(scope);
        let odd = sets.iter().filter(|(event, new)| {
            let path = ImagePath::parse(new);
            (is_shell(path.leaf()) || !is_in_trusted_folder(&path))
                && !created_near(scope, event.time)
        });
        odd.into_iter().find_map(|(event, borrowed)| {
            let (back, restored) = sets.iter().find(|(later, new)| {
                let path = ImagePath::parse(new);
                later.time > event.time
                    && follows(event.time, later.time, scope.host.window)
                    && is_in_trusted_folder(&path)
                    && !is_shell(path.leaf())
                    && path.leaf() != ImagePath::parse(borrowed).leaf()
            })?;
            let because = format!(
                "ImagePath was `{}` from {} to {}, then `{}` again.",
                clip(borrowed),
                format_short(event.time),
                format_short(back.time),
                clip(restored)
            );
            Some(Hit::new(because, event.citation.clone()).and(back.citation.clone()))
        })
    },
    examples: &[
        yes("SCShell on a stock service", || {
            let services = r"C:\Windows\System32\services.exe";
            let (payload, own) = (
                r"C:\Windows\System32\cmd.exe /c whoami",
                r"C:\Windows\System32\SensorDataService.exe",
            );
            Scene::ghost("SensorDataService")
                .event(0, set("SensorDataService", "ImagePath", payload, services))
                .event(4, set("SensorDataService", "ImagePath", own, services))
        }),
        no("a setup that corrects what it just made", || {
            let services = r"C:\Windows\System32\services.exe";
            Scene::ghost("Agent")
                .event(0, set("Agent", "ErrorControl", "DWORD (0x00000001)", services))
                .event(0, set("Agent", "ImagePath", r"D:\Setup\agent.exe", services))
                .event(9, set("Agent", "ImagePath", r"C:\Program Files\Contoso\svc.exe", services))
        }),
        no("exchanged and left so", || {
            let sc = r"C:\Windows\System32\sc.exe";
            Scene::hosted("Fax").event(
                0,
                command(sc, r#"sc config Fax binPath= "C:\Windows\System32\cmd.exe /c x""#, sc),
            )
        }),
        unknown("nothing records commands or registry writes", || Scene::service("Agent")),
    ],
};

/// Every program the service was given by a command or a write, in order of time.
fn image_paths<'a>(scope: &Scope<'a>) -> Vec<(&'a Event, &'a str)> {
    let by_write =
        writes(scope).filter_map(|(event, change)| Some((event, sets(change, "ImagePath")?)));
    let by_command =
        commands(scope).filter_map(|(event, command)| Some((event, command.change("ImagePath")?)));
    let mut found: Vec<(&Event, &str)> =
        by_write.chain(by_command).filter(|(_, new)| !new.trim().is_empty()).collect();
    found.sort_by_key(|(event, _)| -> Timestamp { event.time });
    found
}
