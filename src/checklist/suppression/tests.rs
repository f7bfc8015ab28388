use super::*;
use crate::checklist::{self, Scene};

const EXAMPLE: &str = include_str!("../../../docs/suppressions.example.toml");
const EXAMPLE_CSV: &str = include_str!("../../../docs/suppressions.example.csv");

fn known() -> Vec<&'static Indicator> {
    checklist::indicators().collect()
}

fn read(text: &str) -> Result<Vec<Suppression>, String> {
    Suppression::parse_toml(text, "list.toml", &known())
}

#[test]
fn the_documented_examples_are_read() {
    assert_eq!(read(EXAMPLE).unwrap().len(), 3);
    let table = Suppression::parse_csv(EXAMPLE_CSV, "list.csv", &known()).unwrap();
    assert_eq!(table.len(), 2);
    assert_eq!(table[1].line, 3);
    assert_eq!(table[1].indicators, BTreeSet::from(["P06", "N04"]));
}

#[test]
fn mistakes_are_refused_with_their_line() {
    let told = "reason='r'\nauthor='a'\nexpires=2026-12-31\n";
    for (entry, expected) in [
        ("service='X'\nauthor='a'\nexpires=2026-12-31", "line 2: the entry lacks reason: "),
        ("service='X'\nreason=' '", "line 2: the entry lacks reason and author and expires: "),
        (&format!("{told}service='*'"), "line 2: a suppression of everything"),
        (&format!("{told}host='WS01'"), "line 2: everything of a host"),
        (
            &format!("{told}service='X'\nindicators=['P0!']"),
            "line 2: no indicator is called P0!; did",
        ),
        (&format!("{told}service='X'\nindicators=['B01']"), "line 2: B01 speaks for a service"),
        (&format!("{told}service='X'\nsha256='12'"), "line 2: `12` is no SHA-256"),
        (&format!("{told}service='X'\nwhen='now'"), "line 7: unknown field `when`"),
        ("service='X'\nreason='r'\nauthor='a'\nexpires='soon'", "line 2: `soon` is no time"),
    ] {
        let problem = read(&format!("\n[[suppress]]\n{entry}\n")).unwrap_err();
        assert!(problem.starts_with(expected), "{problem} / {expected}");
    }
    let csv = |text: &str| Suppression::parse_csv(text, "l", &known()).unwrap_err();
    assert!(csv("service,why\nX,y").starts_with("line 1: unknown column `why`"));
    assert!(csv("service,reason\nX,y").starts_with("line 2: the entry lacks author and expires"));
}

#[test]
fn an_entry_is_about_what_it_names() {
    let told = "reason='r'\nauthor='a'\nexpires=2030-01-01\n";
    for (conditions, expected) in [
        ("service='contoso*'", true),
        ("service='ContosoSvc Agent'", true),
        ("service='Fabrikam*'", false),
        (r"path='C:\Program Files\Contoso\*'", true),
        ("path='contososvc.exe'", true),
        (r"path='C:\Windows\*'", false),
        ("account='localsystem'", true),
        ("account='NT AUTHORITY\\\\*'", false),
        ("service='Contoso*'\nhost='WS01'", false),
        (&format!("sha256='{}'", "ab".repeat(32)), false),
    ] {
        let conditions = conditions.replace(r"\\", r"\");
        let entries = read(&format!("[[suppress]]\n{conditions}\n{told}")).unwrap();
        let concerns = Scene::service("ContosoSvc")
            .ask(|scope| entries[0].concerns(scope.host, scope.service));
        assert_eq!(concerns, Some(expected), "{conditions}");
    }
}

#[test]
fn a_hosted_service_is_known_by_its_dll() {
    let told = "reason='r'\nauthor='a'\nexpires=2030-01-01\n";
    for (path, expected) in [("svchost.exe", false), ("hosted.dll", true)] {
        let entries = read(&format!("[[suppress]]\npath='{path}'\n{told}")).unwrap();
        let concerns =
            Scene::hosted("Hosted").ask(|scope| entries[0].concerns(scope.host, scope.service));
        assert_eq!(concerns, Some(expected), "{path}");
    }
}

#[test]
fn what_matters_most_must_be_named() {
    let told = "service='X'\nreason='r'\nauthor='a'\nexpires=2030-01-01\n";
    let all = &read(&format!("[[suppress]]\n{told}")).unwrap()[0];
    let named = &read(&format!("[[suppress]]\nindicators=['F01', 'k01']\n{told}")).unwrap()[0];
    for one in known() {
        assert_eq!(all.is_about(one), !must_be_named(one), "{}", one.id);
        assert_eq!(named.is_about(one), matches!(one.id, "F01" | "K01"), "{}", one.id);
    }
}

#[test]
fn an_entry_expires_with_the_evidence() {
    for (expires, expected) in [("2026-03-31", true), ("2026-04-02", false)] {
        let entry =
            format!("[[suppress]]\nservice='X'\nreason='r'\nauthor='a'\nexpires={expires}\n");
        let entries = read(&entry).unwrap();
        let expired = Scene::service("X").ask(|scope| entries[0].has_expired(scope.host));
        assert_eq!(expired, Some(expected), "{expires}");
    }
}
