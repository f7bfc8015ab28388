use std::collections::BTreeSet;

use super::*;
use crate::checklist::staging::{connected, started};
use crate::checklist::{Answer, Need, Scene};
use crate::host::event::Action;
use crate::host::program_file::SignatureStatus;
use crate::host::{Origin, State};

/// A rule with that detection and one example of each answer.
fn rule(detection: &str, yes: &str, no: &str) -> Own {
    let text = format!(
        "[[rule]]\nid = 'U-1'\nquestion = 'Q?'\nwhy = 'w'\ninnocent = 'i'\nverify = ['v']\n\
         attack = [{{ v18 = 'T1543', v19 = 'T1543' }}]\nweight = 10\nfamily = 'Q2'\nchecklist = 'runs'\n\
         sources = ['s']\nauthor = 'a'\n{detection}\n\
         [[rule.example]]\ntitle = 'y'\nanswer = 'yes'\n{yes}\n\
         [[rule.example]]\ntitle = 'n'\nanswer = 'no'\n{no}\n"
    );
    read("r.toml", &text).unwrap().remove(0)
}

fn answer(own: &Own, scene: Scene) -> &'static str {
    match scene.ask(|scope| own.indicator.answer(scope)).unwrap() {
        Answer::Yes(hit) => {
            assert!(!hit.citations.is_empty());
            "yes"
        }
        Answer::No => "no",
        Answer::Unknown(_) => "unknown",
    }
}

#[test]
fn every_field_has_its_own_name_and_a_meaning() {
    let names: BTreeSet<&str> = service_field::FIELDS.iter().map(|one| one.name).collect();
    assert_eq!(names.len(), service_field::FIELDS.len());
    for one in service_field::FIELDS {
        assert!(!one.says.is_empty() && one.name == one.name.to_lowercase(), "{}", one.name);
        assert_eq!(service_field::find(one.name).map(|found| found.says), Some(one.says));
    }
}

#[test]
fn a_service_answers_by_its_fields() {
    for (field, value, expected) in [
        ("name", "AGENT", true),
        ("display_name|endswith", " agent", true),
        ("image", "c:\\\\program files\\\\contoso\\\\agent.exe", true),
        ("program", "agent.exe", true),
        ("quoted", "true", true),
        ("account", "LocalSystem", true),
        ("start", "auto", true),
        ("type", "16", true),
        ("error_control|lt", "1", false),
        ("description|contains", "Provides", true),
        ("failure_command|exists", "true", false),
        ("in_registry", "true", true),
        ("driver", "false", true),
        ("value.ErrorControl", "1", true),
        ("value.nothing|exists", "false", true),
        ("last_write|startswith", "2026-03-02T12:00", true),
        ("age_days", "30", true),
        ("value_order", "create_service", true),
    ] {
        let is_word = matches!(value, "true" | "false") && field.ends_with("exists");
        let is_number = field.ends_with("lt");
        let quoted = if is_word || is_number { value.to_owned() } else { format!("\"{value}\"") };
        let base = field.split('|').next().unwrap();
        let other = match field {
            "value.nothing|exists" => "service = { 'value.nothing' = 'x' }",
            _ => "service = { name = 'nobody' }",
        };
        let good = match field {
            "error_control|lt" => "service = { error_control = 0 }".to_owned(),
            "failure_command|exists" => "service = { failure_command = 'x' }".to_owned(),
            "value.nothing|exists" => "service = {}".to_owned(),
            _ => format!("service = {{ '{base}' = \"{value}\" }}"),
        };
        let detection = format!("condition = 's'\n[rule.service.s]\n'{field}' = {quoted}");
        let own = rule(&detection, &good, other);
        let scene = Scene::service("Agent").order(crate::host::config::ValueOrder::CreateService);
        let expected = if expected { "yes" } else { "no" };
        assert_eq!(
            answer(&own, scene.covered(Origin::SystemLog, State::Complete)),
            expected,
            "{field}"
        );
    }
}

#[test]
fn what_nothing_tells_is_neither_true_nor_false() {
    let unsigned = rule(
        "condition = 'not good'\n[rule.service.good]\nsignature_status = ['valid', 'valid_catalog']",
        "service = { signature_status = 'unsigned' }",
        "service = { signature_status = 'valid' }",
    );
    assert_eq!(answer(&unsigned, Scene::service("Agent")), "unknown", "no files");
    let signed =
        |status| Scene::service("Agent").program(move |file| file.signature.status = status);
    assert_eq!(answer(&unsigned, signed(SignatureStatus::Unsigned)), "yes");
    assert_eq!(answer(&unsigned, signed(SignatureStatus::Valid)), "no");
    assert_eq!(answer(&unsigned, signed(SignatureStatus::Unknown)), "unknown");
    let nameless = rule(
        "condition = 's'\n[rule.service.s]\n'description|exists' = false",
        "service = {}",
        "service = { description = 'x' }",
    );
    assert_eq!(answer(&nameless, Scene::service("Agent").without("Description")), "yes");
    assert_ne!(answer(&nameless, Scene::ghost("Agent").event(0, installed())), "yes");
}

fn installed() -> Action {
    crate::checklist::staging::installed("Agent", r"C:\x.exe")
}

const AGENT: &str = r"C:\Program Files\Contoso\Agent.exe";

#[test]
fn one_and_the_same_event_must_satisfy_a_selection() {
    let own = rule(
        "condition = 'e'\n[rule.event.e]\nrole = 'connection'\n'destination_ip|cidr' = '10.0.0.0/8'\n\
         'destination_port|gte' = 4000",
        "events = [{ role = 'connection', destination_ip = '10.1.1.1', destination_port = 4443 }]",
        "events = [{ role = 'connection', destination_ip = '10.1.1.1', destination_port = 80 }, \
         { role = 'connection', destination_ip = '192.0.2.1', destination_port = 4443 }]",
    );
    assert!(matches!(own.indicator.needs, [Need::ForNo(Need::AnyPart([Origin::NetworkEvents]))]));
    assert_eq!(answer(&own, Scene::service("Agent")), "unknown");
    let scene = || Scene::service("Agent").event(0, started(AGENT, AGENT));
    assert_eq!(answer(&own, scene().covered(Origin::NetworkEvents, State::Complete)), "no");
    assert_eq!(answer(&own, scene().covered(Origin::NetworkEvents, State::Partial)), "unknown");
    let apart = scene()
        .event(1, connected(AGENT, "10.1.1.1", 80))
        .event(2, connected(AGENT, "192.0.2.1", 4443));
    assert_eq!(answer(&own, apart), "no");
    assert_eq!(answer(&own, scene().event(1, connected(AGENT, "10.1.1.1", 4443))), "yes");
}
