//! Named pipes of its process.

use super::agent_running;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::trust::is_approved_tool;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::{Origin, Role};
use crate::time::format_short;

pub(super) const PIPE: Indicator = Indicator {
    id: "E07",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process open a named pipe of a known remote execution tool?",
    why: "The pipe's name stays when the service and its file are renamed.",
    innocent: "PsExec and its kin in an administrator's hands.",
    verify: &[
        "Sysmon 17 and 18: PipeName, Image, and the client's host in names such as PSEXESVC-HOST-PID-stdin",
    ],
    attack: &[technique("T1570"), technique("T1569.002")],
    weight: 20,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &[
        "impacket serviceinstall, psexec",
        "SigmaHQ pipe_created rules",
        "Cobalt Strike's default pipe names: general knowledge, not measured here",
    ],
    since: "0.1.0",
    check: &|scope| {
        if is_approved_tool(scope) {
            return None;
        }
        scope.events(Role::Pipe).find_map(|event| {
            let Action::Pipe { name, .. } = &event.action else { return None };
            let lower = name.trim_start_matches('\\').to_lowercase();
            let known = PIPES.iter().find(|(start, _)| lower.starts_with(start));
            let tool = match known {
                Some((_, tool)) => tool,
                None if is_redirected(&lower) => {
                    "the input and output of a program that PsExec runs for a client"
                }
                None => return None,
            };
            let because = format!("At {} pipe `{}`: {tool}.", format_short(event.time), clip(name));
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("impacket's misspelt pipe", || {
            agent_running().event(
                1,
                Action::Pipe {
                    created: true,
                    process_id: Some(50),
                    image: r"C:\Program Files\Contoso\Agent.exe".to_owned(),
                    name: r"\RemCom_communicaton".to_owned(),
                },
            )
        }),
        yes("PsExec under another name", || {
            agent_running().event(
                1,
                Action::Pipe {
                    created: true,
                    process_id: Some(50),
                    image: r"C:\Program Files\Contoso\Agent.exe".to_owned(),
                    name: r"\svchost-WS-07-8116-stdin".to_owned(),
                },
            )
        }),
        no("a pipe of its own", || {
            agent_running().event(
                1,
                Action::Pipe {
                    created: true,
                    process_id: Some(50),
                    image: r"C:\Program Files\Contoso\Agent.exe".to_owned(),
                    name: r"\contoso-agent".to_owned(),
                },
            )
        }),
        unknown("Sysmon is not there", || Scene::service("Agent")),
    ],
};

/// `name-client-process-stdin`: PsExec names the pipes of what it runs after its service, whatever that is called
/// (`-r`), the client and the client's process.
fn is_redirected(pipe: &str) -> bool {
    let Some((before, end)) = pipe.rsplit_once('-') else { return false };
    let Some((names, process)) = before.rsplit_once('-') else { return false };
    matches!(end, "stdin" | "stdout" | "stderr")
        && !process.is_empty()
        && process.bytes().all(|byte| byte.is_ascii_digit())
        && names.contains('-')
}

/// How names of known pipes begin, in lower case, and whose they are.
const PIPES: [(&str, &str); 9] = [
    ("psexesvc", "PsExec"),
    ("remcom_", "RemCom, which impacket's psexec.py carries"),
    ("paexec", "PAExec"),
    ("csexec", "CSExec"),
    ("winexesvc", "winexe"),
    ("ahexec", "winexe"),
    ("msse-", "Cobalt Strike's service executable"),
    ("postex_", "Cobalt Strike's jobs"),
    ("msagent_", "Cobalt Strike's SMB beacon"),
];
