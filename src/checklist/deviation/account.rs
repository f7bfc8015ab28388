//! Another account than on the baseline.

use super::{BASELINE, SOURCE, VERIFY_DIFF, VERIFY_LINE, compared};
use crate::checklist::basis::HIVE;
use crate::checklist::known_good::stock;
use crate::checklist::staging::{GOLD_BUILD, gold, no, on_gold_build, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};

pub(super) const OTHER_ACCOUNT: Indicator = Indicator {
    id: "G02",
    family: Family::Q4,
    checklist: Question::Account,
    question: "Does it run as another account than on your baseline?",
    why: "Who may change a service gives it the account that he needs: the system's, or one whose password is then kept on \
          this host.",
    innocent: "An installation with an account of its own, as databases and backup agents have.",
    verify: &[VERIFY_DIFF, VERIFY_LINE, "Security 4624 type 5 of that account on this host"],
    attack: &[technique("T1543.003"), technique("T1078")],
    weight: 15,
    hard: false,
    needs: &[HIVE, BASELINE],
    sources: &[SOURCE, "detection.md C.4 A01: raised to LocalSystem against the baseline"],
    since: "0.1.0",
    check: &|scope| {
        let (here, rows) = compared(scope)?;
        let account = here.account.as_deref()?;
        let known = rows.first()?;
        // What another version of Windows gives the service is no choice of anybody's.
        let is_stock = stock(scope).is_some_and(|stock| stock.accounts().contains(account));
        if is_stock || rows.iter().any(|place| place.row.account.as_deref() == Some(account)) {
            return None;
        }
        let is_raised = account == "localsystem";
        let because = format!(
            "Runs as \"{}\", on the baseline as \"{}\" ({}).",
            clip(account),
            clip(known.row.account.as_deref().unwrap_or("nobody")),
            known.label()
        );
        let hit = Hit::new(because, scope.config()?.cite("ObjectName"));
        Some(hit.weighing(if is_raised { 20 } else { 15 }))
    },
    examples: &[
        yes("raised to the system", || {
            on_gold_build(Scene::service("Agent"))
                .baseline(gold(vec![Scene::service("Agent").text("ObjectName", r"CORP\agent")], 0))
        }),
        no("two spellings of one account", || {
            on_gold_build(Scene::service("Agent").text("ObjectName", r".\LocalSystem"))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        unknown("no baseline was given", || {
            Scene::service("Agent").windows("Windows 10 Pro", GOLD_BUILD)
        }),
    ],
};
