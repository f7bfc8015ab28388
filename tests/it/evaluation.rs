//! The evaluation on hosts made to order, on a scale that fits a test: one base of the lab, some of the attacks.

#![expect(clippy::unwrap_used, reason = "a definition that cannot be made must fail the test")]

use std::sync::OnceLock;

use svctriage::lab::evaluation::hosts::{Base, Condition, Study, View};
use svctriage::lab::evaluation::plants::{self, Plant};

/// Every how many-th attack is put on a host: all of them take a program with optimizations, see `.ci/run`.
const EVERY: usize = 5;

fn attacks() -> Vec<&'static Plant> {
    plants::attacks().iter().step_by(EVERY).collect()
}

fn study() -> &'static Study {
    static STUDY: OnceLock<Study> = OnceLock::new();
    STUDY.get_or_init(|| {
        let base = Base::lab().into_iter().next().unwrap();
        Study::of(vec![base], &attacks()).unwrap()
    })
}

#[test]
fn every_attack_is_put_on_a_host_and_every_other_host_is_clean() {
    let study = study();
    assert_eq!(study.untold, []);
    let attacks = attacks().len();
    for condition in [Condition::Whole, Condition::Registry] {
        let hosts = || study.under(condition);
        assert_eq!(hosts().filter(|host| host.attack.is_some()).count(), attacks);
        assert_eq!(hosts().count(), 2 * attacks);
    }
    for host in study.under(Condition::Whole) {
        let case = host.case(View::Shipped);
        let name = host.attack.map(|plant| plant.id.as_str());
        assert!(case.is_none_or(|case| case.best().is_some()), "{name:?} left no trace");
    }
}

/// What holds on so few hosts; whether the targets are met stands in docs/evaluation.md.
#[test]
fn tools_that_nobody_knew_come_to_the_top_and_clean_hosts_stay_quiet() {
    let quality = study().quality(Condition::Whole, View::NewTool, &|_| true);
    assert!(quality.mrr >= 0.9 && quality.recall[3] >= 0.95, "{quality:?}");
    let alarms = study().alarms(Condition::Whole, View::NewTool, true);
    assert!(alarms.per_host() <= 0.5, "{alarms:?}");
}

#[test]
fn the_order_is_better_than_simple_ones() {
    let quality = |view| study().quality(Condition::Whole, view, &|_| true).mrr;
    for simple in [View::Newest, View::Outside, View::AnyFinding] {
        assert!(quality(View::NewTool) > quality(simple) + 0.1, "{}", simple.label());
    }
}
