//! What older states of the registry say: which services came, went and changed since.

use crate::checklist::basis::HIVE;
use crate::checklist::known_good::{agent, is_as_shipped, is_new_program, is_stock};
use crate::checklist::place::{is_in_program_files, is_in_trusted_folder};
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::ImagePath;
use crate::host::config::Data;
use crate::host::service::Difference;
use crate::text::same_name;

const JUDGEMENT: &str = "A judgement: services come, go and change on ordinary hosts as well, so none of these weighs much by itself";

pub(super) const APPEARED: Indicator = Indicator {
    id: "W26",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it absent in an older state of this host?",
    why: "A shadow copy or backup without the key bounds its creation from below, whatever the logs still hold and \
          whatever was done to the key's times.",
    innocent: "Software is installed all the time; what came with Program Files weighs half.",
    verify: &[
        "Open the SYSTEM hive of the older state (vshadowmount, or the shadow copy's device path) and look for the key.",
        "Narrow the time down with the states in between and with 7045 or 4697.",
    ],
    attack: &[technique("T1543.003")],
    weight: 4,
    hard: false,
    needs: &[HIVE],
    sources: &[JUDGEMENT],
    since: "0.1.0",
    check: &|scope| {
        if !is_new_program(scope) || agent(scope).is_some() {
            return None;
        }
        let passage = scope.service.passages.iter().rfind(|passage| passage.came)?;
        let ordinary = scope.service.image.as_ref().is_some_and(is_in_program_files);
        let weight = if ordinary { 2 } else { APPEARED.weight };
        let [before, after] = passage.citations.clone();
        let because = passage.sentence(&scope.host.older_states);
        Some(Hit::new(because, before).and(after).weighing(weight))
    },
    examples: &[
        yes("made after a shadow copy", || {
            Scene::service("Updater").image(r"C:\Windows\u.exe").older_without(MARCH)
        }),
        yes("a vendor's service, half as much", || Scene::service("Agent").older_without(MARCH)),
        no("there in the older state", || {
            Scene::service("Updater").image(r"C:\Windows\u.exe").older_with(MARCH, |_| {})
        }),
        no("what an upgrade left behind is another installation", || {
            Scene::service("Updater").image(r"C:\Windows\u.exe").older_without("Windows.old")
        }),
        no("a service that an update of Windows brought", || {
            Scene::hosted("BITS").older_without(MARCH)
        }),
    ],
};

pub(super) const VANISHED: Indicator = Indicator {
    id: "W27",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it there in an older state of this host, and its key is gone?",
    why: "Somebody deleted it since; whoever cleans up after himself does not reach into shadow copies.",
    innocent: "The product was uninstalled, or its driver replaced by a newer one; drivers and Program Files weigh less.",
    verify: &[
        "Is its program still there, or in the older state's file system?",
        "Search System and Security logs of both states for its install, its start and commands that name it.",
    ],
    attack: &[technique("T1070"), technique("T1543.003")],
    weight: 8,
    hard: false,
    needs: &[HIVE],
    sources: &[JUDGEMENT],
    since: "0.1.0",
    check: &|scope| {
        let gone = scope.service.passages.last().filter(|passage| !passage.came)?;
        let config = scope.service.history.first();
        let is_instance = config
            .and_then(|config| config.service_type)
            .is_some_and(crate::host::config::ServiceType::is_per_user);
        if scope.service.in_registry() || is_instance || is_stock(scope) {
            return None;
        }
        let is_driver = config
            .and_then(|config| config.service_type)
            .is_some_and(crate::host::config::ServiceType::is_driver);
        let image = scope.service.image.as_ref();
        let ordinary =
            agent(scope).is_some() || is_driver || image.is_some_and(is_in_program_files);
        let weight = if ordinary { 3 } else { VANISHED.weight };
        let [before, after] = gone.citations.clone();
        let because = gone.sentence(&scope.host.older_states);
        Some(Hit::new(because, before).and(after).weighing(weight))
    },
    examples: &[
        yes("deleted after a shadow copy", || {
            Scene::service("Updater").image(r"C:\Windows\u.exe").only_in(MARCH)
        }),
        no("still there", || Scene::service("Agent").older_with(MARCH, |_| {})),
        no("a per-user instance of a session that ended", || {
            Scene::hosted("CDPUserSvc_3a1f2").number("Type", 0xe0).only_in(MARCH)
        }),
        no("not kept by an upgrade of Windows", || {
            Scene::service("Updater").image(r"C:\Windows\u.exe").only_in("Windows.old")
        }),
    ],
};

pub(super) const CHANGED: Indicator = Indicator {
    id: "W28",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Did what it runs, its failure command or its account change since an older state?",
    why: "Taking over a service that is there makes no 7045: only another state of the key shows what it ran before.",
    innocent: "Updates move programs; a change of version numbers alone, and to what Windows ships, does not count, \
               and one within Program Files or System32 weighs little.",
    verify: &[
        "Compare the two keys that are cited, value by value.",
        "Who wrote the value: Sysmon 13, 4657, or commands with `sc config` and `reg add` in between?",
    ],
    attack: &[technique("T1574"), technique("T1112")],
    weight: 10,
    hard: false,
    needs: &[HIVE],
    sources: &[JUDGEMENT, "Microsoft Learn: ChangeServiceConfig logs no event"],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() {
            return None;
        }
        let differences = scope.service.differences.iter().filter(|one| one.is_change);
        let graded = differences.filter_map(|one| Some((grade(scope, one)?, one)));
        // Of equal ones the first: the states are in order, the newest first.
        let (weight, change) =
            graded.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
        let hit = Hit::new(format!("{}.", change.sentence()), change.now_citation.clone()?);
        let hit = change.citation.clone().into_iter().fold(hit, Hit::and);
        Some(hit.weighing(weight))
    },
    examples: &[
        yes("another program", || {
            Scene::service("Agent").image(r"C:\ProgramData\a.exe").older_with(MARCH, |values| {
                values.insert("ImagePath", text(r"C:\Program Files\Contoso\Agent.exe"));
            })
        }),
        yes("a failure command that was not there", || {
            Scene::service("Agent").text("FailureCommand", r"cmd.exe /c C:\x.exe").older_with(
                MARCH,
                |values| {
                    values.remove("FailureCommand");
                },
            )
        }),
        yes("now runs as the system", || {
            Scene::service("Agent").older_with(MARCH, |values| {
                values.insert("ObjectName", text(r"NT AUTHORITY\LocalService"));
            })
        }),
        no("a new version of the same program", || {
            Scene::service("Agent").image(r"C:\ProgramData\Contoso\2.1.0\a.exe").older_with(
                MARCH,
                |values| {
                    values.insert("ImagePath", text(r"C:\ProgramData\Contoso\2.0.9\a.exe"));
                },
            )
        }),
        no("an older control set, which may be a newer try", || {
            Scene::service("Agent")
                .image(r"C:\ProgramData\a.exe")
                .before(crate::host::config::Epoch::ControlSet(2), |_| {})
        }),
        no("nothing changed", || Scene::service("Agent").older_with(MARCH, |_| {})),
    ],
};

/// A shadow copy taken in the month before [`Scene::noon`]'s.
const MARCH: &str = "shadow copy 1 of 2026-02-02 09:00:00 UTC";

fn text(words: &str) -> Data {
    Data::Text(words.to_owned())
}

/// What a change weighs; `None` for one that means nothing.
fn grade(scope: &Scope<'_>, change: &Difference) -> Option<i16> {
    let is = |names: &[&str]| names.iter().any(|name| same_name(name, &change.field));
    let now = change.now.as_deref().unwrap_or_default();
    let before = change.before.as_deref().unwrap_or_default();
    if is(&["ImagePath", r"Parameters\ServiceDll", "ServiceDll"]) {
        let (old, new) = (ImagePath::parse(before), ImagePath::parse(now));
        if now.is_empty() || is_as_shipped(scope) || unversioned(&old) == unversioned(&new) {
            return None;
        }
        let is_update = is_in_trusted_folder(&new) && is_in_trusted_folder(&old);
        return Some(if is_update { 3 } else { CHANGED.weight });
    }
    if is(&["FailureCommand"]) {
        return (!now.trim().is_empty()).then_some(8);
    }
    (is(&["ObjectName"]) && !same_name(now, before) && !is_stock(scope)).then_some(4)
}

/// A path without what differs between versions of one program: components that are numbers, and digits.
fn unversioned(path: &ImagePath) -> String {
    let bare = |component: &str| -> String {
        let is_digit = |c: char| c.is_ascii_digit();
        if component.contains(is_digit) {
            component.replace(|c: char| is_digit(c) || matches!(c, '.' | '-' | '_' | '+'), "")
        } else {
            component.to_owned()
        }
    };
    let parts: Vec<String> = path.normalized.split('\\').map(bare).collect();
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_do_not_make_another_program() {
        for (left, right, same) in [
            (
                r"C:\ProgramData\W\4.18.23110.3-0\M.exe",
                r"C:\ProgramData\W\4.18.24010.12-0\m.exe",
                true,
            ),
            (r"C:\App\app-1.2.3\a.exe /x", r"C:\App\app-1.2.4\a.exe /y", true),
            (r"C:\App\a.exe", r"C:\App\b.exe", false),
            (r"C:\App\a.exe", r"C:\Temp\a.exe", false),
            (r"C:\App\a1.exe", r"C:\App\a2.exe", true),
        ] {
            let (left, right) = (ImagePath::parse(left), ImagePath::parse(right));
            assert_eq!(unversioned(&left) == unversioned(&right), same, "{left:?} {right:?}");
        }
    }
}
