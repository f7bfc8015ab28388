//! Services entered into a svchost group by hand.

use crate::checklist::basis::CHANGE_LOGS;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::staging::{command, no, unknown, yes};
use crate::checklist::story::{clip, tampered};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::tampering::TamperKind;
use crate::time::format_short;

const REG: &str = r"C:\Windows\System32\reg.exe";
const CMD: &str = r"C:\Windows\System32\cmd.exe";

pub(super) const GROUPED: Indicator = Indicator {
    id: "W30",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Do events show it being entered into a svchost group by a command?",
    why: "A service DLL needs a group that names its service. Setups write it through the registry's interface; a command \
          that does is somebody's hand.",
    innocent: "An administrator's script that installs an old svchost service.",
    verify: &[
        r"reg query 'HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost'",
        "Which ServiceDll does the service name, and who wrote that file?",
    ],
    attack: &[technique("T1543.003"), technique("T1112")],
    weight: 15,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["Atomic Red Team T1543.003-4 (TinyTurla)"],
    since: "0.1.0",
    check: &|scope| {
        if is_stock(scope) || agent(scope).is_some() {
            return None;
        }
        let (one, event) = tampered(scope, TamperKind::GroupJoined).next()?;
        let because = format!("At {} `{}` was run.", format_short(event.time), clip(&one.line));
        Some(Hit::new(because, event.citation.clone()))
    },
    examples: &[
        yes("reg add below Svchost", || {
            let line = r#"reg.exe add "HKLM\Software\Microsoft\Windows NT\CurrentVersion\Svchost" /v TimeService /t REG_MULTI_SZ /d W64Time /f"#;
            Scene::ghost("W64Time").event(0, command(REG, line, CMD))
        }),
        no("the group was only asked for", || {
            let line = r#"reg query "HKLM\Software\Microsoft\Windows NT\CurrentVersion\Svchost" /v netsvcs"#;
            Scene::service("W64Time").event(0, command(REG, line, CMD))
        }),
        unknown("nothing records commands or registry writes", || Scene::service("Agent")),
    ],
};
