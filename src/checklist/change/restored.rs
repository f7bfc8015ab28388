//! A program that was exchanged, used and put back.

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
        let (proper, odd): (Vec<Set<'_>>, Vec<Set<'_>>) =
            image_paths(scope).into_iter().partition(Set::is_proper);
        let others = next_others(&proper);
        odd.iter().filter(|set| !created_near(scope, set.event.time)).find_map(|set| {
            let first = proper.partition_point(|later| later.event.time <= set.event.time);
            let same = proper.get(first)?.path.leaf() == set.path.leaf();
            let back = proper.get(if same { *others.get(first)? } else { first })?;
            if !follows(set.event.time, back.event.time, scope.host.window) {
                return None;
            }
            let because = format!(
                "ImagePath was `{}` from {} to {}, then `{}` again.",
                clip(set.new),
                format_short(set.event.time),
                format_short(back.event.time),
                clip(back.new)
            );
            Some(Hit::new(because, set.event.citation.clone()).and(back.event.citation.clone()))
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
        yes("SCShell, which sets more than the program", || {
            let services = r"C:\Windows\System32\services.exe";
            let own = r"%SystemRoot%\system32\svchost.exe -k netsvcs -p";
            Scene::hosted("XblAuthManager")
                .event(0, set("XblAuthManager", "ErrorControl", "DWORD (0x00000000)", services))
                .event(
                    0,
                    set(
                        "XblAuthManager",
                        "ImagePath",
                        r"C:\Windows\System32\cmd.exe /c x",
                        services,
                    ),
                )
                .event(4, set("XblAuthManager", "ErrorControl", "DWORD (0x00000000)", services))
                .event(4, set("XblAuthManager", "ImagePath", own, services))
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

/// `ImagePath` being set.
struct Set<'a> {
    event: &'a Event,
    new: &'a str,
    path: ImagePath,
}

impl Set<'_> {
    /// Whether it is what a service is put back to: a program in a folder of installers, and no shell.
    fn is_proper(&self) -> bool {
        is_in_trusted_folder(&self.path) && !is_shell(self.path.leaf())
    }
}

/// Every time `ImagePath` was set, by a write or a command, in order.
fn image_paths<'a>(scope: &Scope<'a>) -> Vec<Set<'a>> {
    let by_write =
        writes(scope).filter_map(|(event, change)| Some((event, sets(change, "ImagePath")?)));
    let by_command =
        commands(scope).filter_map(|(event, command)| Some((event, command.change("ImagePath")?)));
    let told = by_write.chain(by_command).filter(|(_, new)| !new.trim().is_empty());
    let mut found: Vec<Set<'_>> =
        told.map(|(event, new)| Set { event, new, path: ImagePath::parse(new) }).collect();
    found.sort_by_key(|set| set.event.time);
    found
}

/// For each of these the place of the next one with another program; past the end where there is none.
fn next_others(sets: &[Set<'_>]) -> Vec<usize> {
    let mut others = vec![sets.len(); sets.len()];
    for (at, pair) in sets.windows(2).enumerate().rev() {
        let [one, next] = pair else { continue };
        let after = at.saturating_add(1);
        let same = one.path.leaf() == next.path.leaf();
        let other = if same { others.get(after).copied().unwrap_or(after) } else { after };
        if let Some(slot) = others.get_mut(at) {
            *slot = other;
        }
    }
    others
}
