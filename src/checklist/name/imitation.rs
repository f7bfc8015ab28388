//! Names one slip away from those of Windows' services and processes.

use super::VERIFY_KEY;
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::knowledge::programs::{self, ProgramKind};
use crate::checklist::known_good::{self, is_laid_down};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, is_per_user, is_win32, name_citation};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::text;

pub(super) const TYPO: Indicator = Indicator {
    id: "N05",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is the name one slip away from that of a service of Windows?",
    why: "W64Time next to W32Time, or a letter swapped: the eye reads what it expects.",
    innocent: "Vendors with a family of names; newer versions of Windows rename services by a letter or two.",
    verify: &[VERIFY_KEY, "Compare both keys: description, program, DLL, value order"],
    attack: &[technique("T1036.004")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "atomic-red-team T1543.003 test 4 (TinyTurla)"],
    since: "0.1.0",
    check: &|scope| {
        let name = &scope.service.name;
        if name.chars().count() < 6
            || known_good::stock(scope).is_some()
            || !is_win32(scope)
            || is_per_user(scope)
            || is_laid_down(scope)
        {
            return None;
        }
        let folded = text::fold(name);
        let mut models = scope.windows().programs();
        let (_, model) =
            models.find(|(model, _)| is_imitable(model) && is_one_slip(&folded, model))?;
        let because = format!("\"{}\" is one slip away from \"{model}\".", clip(name));
        Some(Hit::new(because, name_citation(scope)?))
    },
    examples: &[
        yes("64 for 32", || {
            Scene::service("W64Time").image(r"C:\Windows\System32\svchost.exe -k TimeService")
        }),
        yes("two letters swapped", || Scene::service("Spoolre")),
        no("the service itself", || Scene::hosted("W32Time")),
        no("a driver of a family of network cards", || Scene::driver("b57nd60b")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// Whether a name is long enough to tell a slip from another abbreviation: three letters and "Svc" are not.
fn is_imitable(folded: &str) -> bool {
    folded.len() >= 6 && folded.trim_end_matches("SVC").chars().count().max(1) >= 5
}

/// Whether one insertion, deletion, substitution or swap of neighbours, or 64 for 32, makes one name of the
/// other. Both folded.
fn is_one_slip(name: &str, model: &str) -> bool {
    // A character that is not ASCII takes up to four bytes.
    if name == model || name.len().abs_diff(model.len()) > 4 {
        return false;
    }
    if name.contains("64") && name.replace("64", "32") == model {
        return true;
    }
    let (short, long) =
        if name.chars().count() <= model.chars().count() { (name, model) } else { (model, name) };
    let mut left = short.chars();
    let mut right = long.chars();
    // What is left of both after the common beginning.
    let (a, b) = loop {
        match (left.next(), right.next()) {
            (Some(a), Some(b)) if a == b => {}
            (a, Some(b)) => break (a, b),
            (_, None) => return false,
        }
    };
    let (short, long) = (left.as_str(), right.as_str());
    let Some(a) = a else { return long.is_empty() };
    // Digits number a family: Svc1 beside Svc2 is no slip.
    let substituted = short == long && !(a.is_ascii_digit() && b.is_ascii_digit());
    let swapped = {
        let (mut left, mut right) = (short.chars(), long.chars());
        left.next() == Some(b) && right.next() == Some(a) && left.as_str() == right.as_str()
    };
    let inserted = long.strip_prefix(a) == Some(short);
    substituted || swapped || inserted
}

pub(super) const PROCESS_NAME: Indicator = Indicator {
    id: "N07",
    family: Family::Q1,
    checklist: Question::What,
    question: "Is the service or its program named like a process of Windows, or almost?",
    why: "svchost, lsass and spoolsv are expected in every list of processes; svch0st and scvhost count on a quick \
          eye.",
    innocent: "A few drivers and tools have such names by accident.",
    verify: &[
        VERIFY_KEY,
        "Compare the file with the one of that name in System32: size, signature, times",
    ],
    attack: &[technique("T1036.005"), technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        if known_good::stock(scope).is_some() || !is_win32(scope) {
            return None;
        }
        let name = scope.service.name.to_lowercase();
        if programs::is(&name, ProgramKind::System) {
            let because = format!("The service is named like the process {}.", clip(&name));
            return Some(Hit::new(because, name_citation(scope)?));
        }
        let one = image(scope)?;
        let leaf = one.path.leaf();
        let model = looks_like_a_process(leaf)?;
        let because = format!("The program {} looks like {model}.", clip(leaf));
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("a service called taskmgr", || Scene::service("taskmgr")),
        yes("a zero for an o", || Scene::service("Host").image(r"C:\Program Files\h\svch0st.exe")),
        no("the spooler", || Scene::service("Spooler").image(r"C:\Windows\System32\spoolsv.exe")),
        no("a program called service.exe", || {
            Scene::service("Agent").image(r#""C:\Program Files\Contoso\service.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// The process of Windows that a program's file name imitates.
fn looks_like_a_process(leaf: &str) -> Option<&'static str> {
    const IMITATED: [&str; 13] = [
        "conhost.exe",
        "csrss.exe",
        "dllhost.exe",
        "explorer.exe",
        "lsass.exe",
        "services.exe",
        "spoolsv.exe",
        "svchost.exe",
        "taskhost.exe",
        "taskhostw.exe",
        "wininit.exe",
        "winlogon.exe",
        "wmiprvse.exe",
    ];
    // A word of its own, and much used.
    if programs::is(leaf, ProgramKind::System) || matches!(leaf, "service.exe" | "explore.exe") {
        return None;
    }
    let (name, extension) = leaf.rsplit_once('.')?;
    IMITATED.into_iter().find(|model| {
        let plain = model.trim_end_matches(".exe");
        extension == "exe" && is_one_slip(name, plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::knowledge::stock::Catalog;
    use std::collections::BTreeSet;

    #[test]
    fn slips_are_counted_once() {
        for (name, model, expected) in [
            ("W64TIME", "W32TIME", true),
            ("SPOOLRE", "SPOOLER", true),
            ("SPOOLERS", "SPOOLER", true),
            ("SPOLER", "SPOOLER", true),
            ("SPOOLEE", "SPOOLER", true),
            ("SPOOLER", "SPOOLER", false),
            ("SPOLERS", "SPOOLER", false),
            ("SERVICE1", "SERVICE2", false),
            ("ABCDEF", "UVWXYZ", false),
        ] {
            assert_eq!(is_one_slip(name, model), expected, "{name} {model}");
        }
    }

    #[test]
    fn no_stock_service_is_a_slip_of_another() {
        let mut pairs = BTreeSet::new();
        let names = || Catalog::shipped().programs().map(|(name, _)| name);
        for left in names().filter(|name| is_imitable(name)) {
            for right in names().filter(|name| is_imitable(name)) {
                if left < right && is_one_slip(left, right) {
                    pairs.insert((left, right));
                }
            }
        }
        assert!(pairs.len() < 4, "{pairs:?}");
    }
}
