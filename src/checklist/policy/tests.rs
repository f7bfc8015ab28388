use super::*;

const EXAMPLE: &str = include_str!("../../../docs/approved.example.toml");
const EXAMPLE_CSV: &str = include_str!("../../../docs/approved.example.csv");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn the_documented_examples_are_read() {
    let policy = Policy::parse_toml(EXAMPLE).unwrap();
    assert_eq!(
        (policy.changes.len(), policy.tools.len(), policy.accounts.len(), policy.windows.len()),
        (2, 1, 2, 2)
    );
    let change = Change {
        names: &["ContosoAgent", "Contoso Agent"],
        paths: &[r"c:\program files\contoso\agent.exe"],
        actors: &["S-1-5-21-1-2-3-1104", r"CORP\svc_deploy"],
        time: Some(at("2026-03-02T12:00:00Z")),
        ..Change::default()
    };
    assert_eq!(policy.change(&change).unwrap().ticket.as_deref(), Some("CHG0012345"));
    let late = Change { time: Some(at("2026-04-02T12:00:00Z")), ..change };
    assert_eq!(policy.change(&late), None);
    let undated = Change { time: None, ..change };
    assert_eq!(policy.change(&undated), None, "a time window needs a time");
    assert!(policy.account(&change).is_some());
    assert!(policy.tool(&[r"c:\windows\ccmsetup\ccmsetup.exe"], change.time).is_some());
    assert!(policy.tool(&[r"c:\users\public\ccmsetup.exe"], change.time).is_none());

    let table = Policy::parse_csv(EXAMPLE_CSV).unwrap();
    assert_eq!(table.changes.len(), 2);
    assert_eq!(table.change(&change).unwrap().label(), "ticket CHG0012345: Agent rollout, ring 2");
    assert_eq!(table.change(&late), None, "expired at the time of the change");
}

#[test]
fn a_condition_the_evidence_cannot_show_is_not_met() {
    let hash = "ab".repeat(32);
    let policy = Policy::parse_toml(&format!("[[change]]\nservice='X'\nsha256='{hash}'")).unwrap();
    let mut change = Change { names: &["x"], ..Change::default() };
    assert_eq!(policy.change(&change), None);
    let upper = hash.to_uppercase();
    change.sha256 = Some(&upper);
    assert!(policy.change(&change).is_some());
}

#[test]
fn mistakes_are_refused_with_their_line() {
    for (text, expected) in [
        ("[[change]]\nservice = 'X'\nexpire = 2026-01-01", "line 3: unknown field `expire`"),
        ("\n[[change]]\nservice = '*'", "line 2: an approval of everything"),
        ("[[change]]\nservice = 'X'\nfrom = 2026-01-01T00:00:00", "line 1: `2026-01-01T00:00:00`"),
        ("[[tool]]\nticket = 'C'", "line 1: a tool needs a `path`"),
        ("[[account]]\npath = 'x'\naccount = 'y'", "line 1: `path` narrows a [[change]]"),
        ("[[window]]\ndays = ['caturday']\nfrom = '1:00'\nto = '2:00'", "line 1: `caturday`"),
        ("[[window]]\nfrom = 2026-01-02\nto = 2026-01-01", "line 1: the window ends"),
        ("nonsense", "line 1: "),
    ] {
        let problem = Policy::parse_toml(text).unwrap_err();
        assert!(problem.starts_with(expected), "{problem} / {expected}");
    }
    for (text, expected) in [
        ("service,when\nX,now", "line 1: unknown column `when`"),
        ("service,ticket\n,C1", "line 2: an approval of everything"),
        ("service,from\nA,2026-01-01\nB,yesterday", "line 3: `yesterday`"),
        ("service\nA,B", "line 2: more fields"),
        ("service,sha256\nA,12", "line 2: `12` is no SHA-256"),
    ] {
        let problem = Policy::parse_csv(text).unwrap_err();
        assert!(problem.starts_with(expected), "{problem} / {expected}");
    }
}

#[test]
fn spreadsheets_with_semicolons_and_marks_are_read() {
    let policy = Policy::parse_csv("\u{feff}Service;Ticket\nX;C1\n").unwrap();
    assert_eq!(policy.changes.len(), 1);
    assert_eq!(policy.changes[0].line, 2);
}

#[test]
fn windows_are_asked_only_where_there_are_some() {
    let time = at("2026-03-07T23:00:00Z");
    assert_eq!(Policy::default().in_window(time), None);
    let policy = Policy::parse_toml(EXAMPLE).unwrap();
    assert_eq!(policy.in_window(time), Some(true));
    assert_eq!(policy.in_window(at("2026-03-03T12:00:00Z")), Some(false));
}
