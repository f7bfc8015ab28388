//! Commands that create and change services: what real logs hold of them, where they lead, and that no text is too odd.

#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use svctriage::artifact::event_kind::{interpret, selection};
use svctriage::checklist::Scene;
use svctriage::host::event::{Connection, Logon, LogonKind, ProcessStart, Subject};
use svctriage::host::service_command::{ServiceCommand, in_command_line, in_process, in_script};
use svctriage::host::{Action, Event, Role};
use svctriage::report::HostReport;

use crate::support::Numbers;
use crate::support::commands;
use crate::support::corpus::{corpus_bytes, corpus_folder};
use crate::support::logs::{logs, read};
use crate::support::scan::scan_one;

const ATTACKS: &str = "evtx/evtx-to-mitre-attack.tar.xz";

/// One labelled record.
#[derive(Debug, serde::Deserialize)]
struct Label {
    file: String,
    record: u64,
    service_name: String,
    image_path_or_value: String,
    event_class: String,
}

fn commands_of(event: &Event) -> Vec<ServiceCommand> {
    match &event.action {
        Action::ProcessStarted(process) => in_process(process),
        Action::Script { text, .. } => in_script(text),
        _ => Vec::new(),
    }
}

/// Letters and digits: labels quote and cut as their author liked.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase()
}

/// Whether a command names the service of the label and sets what the label says.
fn says(command: &ServiceCommand, label: &Label) -> bool {
    let said = bare(&label.image_path_or_value);
    let named = if label.service_name.is_empty() {
        said.contains(&bare(&command.service))
    } else {
        command.service.eq_ignore_ascii_case(&label.service_name)
    };
    named
        && command.changes.iter().any(|change| {
            let data = bare(&change.data);
            // Long labels are cut, so that some end in the middle of the data.
            let cut =
                (4..data.len()).filter_map(|end| data.get(..end)).any(|head| said.ends_with(head));
            !data.is_empty() && (said.contains(&data) || data.contains(&said) || cut)
        })
}

#[test]
fn labelled_commands_are_understood() {
    let Some(truth) = corpus_bytes("evtx/truth.csv") else { return };
    let Some(folder) = corpus_folder(ATTACKS) else { return };
    let mut understood = 0_u32;
    let mut missed = Vec::new();
    for label in csv::Reader::from_reader(truth.as_slice()).deserialize::<Label>() {
        let Ok(label) = label else { continue };
        if !matches!(label.event_class.as_str(), "config_command" | "ps_config") {
            continue;
        }
        let (_, records) = read(&std::fs::read(folder.join(&label.file)).unwrap(), &selection());
        let record = records.iter().find(|record| record.file_record_id == label.record).unwrap();
        let event = interpret(record, &Arc::from("log.evtx")).unwrap();
        let commands = commands_of(&event);
        if let [command] = commands.as_slice()
            && says(command, &label)
        {
            understood += 1;
        } else {
            missed.push((label, commands));
        }
    }
    assert!(missed.is_empty(), "{} not understood: {missed:#?}", missed.len());
    assert_eq!(understood, 21, "the truth has changed");
}

/// Ordinary hosts run no commands about services, but for those listed here.
#[test]
fn ordinary_logs_hold_no_service_commands() {
    for name in ["evtx/win10-benign-vm.tar.xz", "evtx/server2016-capattack.tar.xz"] {
        let Some(folder) = corpus_folder(name) else { return };
        let mut examined = 0_u32;
        let mut found = Vec::new();
        for path in logs(&folder) {
            let (_, records) = read(&std::fs::read(&path).unwrap(), &selection());
            for event in records.iter().filter_map(|one| interpret(one, &Arc::from("log.evtx"))) {
                examined += u32::from(matches!(
                    event.action,
                    Action::ProcessStarted(_) | Action::Script { .. }
                ));
                found.extend(commands_of(&event));
            }
        }
        assert!(examined > 0, "{name}");
        assert_eq!(found, [], "{name}");
    }
}

#[test]
fn no_text_is_too_odd() {
    const SLOWEST: Duration = Duration::from_secs(10);
    let mut numbers = Numbers(20_261_122);
    let mut found = 0_usize;
    for _ in 0..20_000 {
        let line = commands::line(&mut numbers, 40);
        found += in_command_line(&line).len() + in_script(&line).len();
    }
    assert!(found > 500, "the lines are too odd to test anything: {found}");
    for text in commands::repeated(&mut numbers) {
        let start = Instant::now();
        let most = in_command_line(&text).len().max(in_script(&text).len());
        let shown: String = text.chars().take(60).collect();
        assert!(most <= 256, "{most} commands of {shown:?}");
        assert!(start.elapsed() < SLOWEST, "{:?} for {shown:?}", start.elapsed());
    }
}

fn process(line: &str, id: u32) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(id),
        image: line.split(' ').next().unwrap_or_default().to_owned(),
        command_line: Some(line.to_owned()),
        subject: Subject { name: Some(r"CORP\eve".to_owned()), ..Subject::default() },
        ..ProcessStart::default()
    })
}

fn block(text: &str, part: u32, of: u32) -> Action {
    let block = Some(("3f1c".to_owned(), part, of));
    Action::Script { text: text.to_owned(), host_application: None, block }
}

#[test]
fn a_script_in_parts_is_read_as_one() {
    Scene::service("Agent")
        .event(0, block("Set-Service -Name Ag", 1, 3))
        .event(0, block("ent -StartupType Dis", 2, 3))
        .event(0, block("abled", 3, 3))
        .ask(|scope| {
            let [seen] = scope.service.commands.as_slice() else { panic!("no one command") };
            assert_eq!(seen.command.change("Start"), Some("Disabled"));
            assert_eq!((seen.parts.len(), seen.missing), (3, 0));
            assert_eq!(scope.events(Role::Command).count(), 3);
        })
        .unwrap();
}

#[test]
fn one_act_in_several_logs_is_one() {
    let script = Action::Script {
        text: "sc.exe config Agent start= disabled".to_owned(),
        host_application: None,
        block: None,
    };
    Scene::service("Agent")
        .event(0, script)
        .event(1, process("cmd /c sc config Agent start= disabled", 7))
        .event(1, process("sc  config Agent start=disabled", 8))
        .event(60, process("sc config Agent start= disabled", 9))
        .ask(|scope| {
            let acts: Vec<usize> = scope.service.commands.iter().map(|seen| seen.act).collect();
            assert_eq!(acts, [0, 0, 0, 1]);
        })
        .unwrap();
}

#[test]
fn what_is_done_to_other_hosts_is_listed_with_what_supports_it() {
    let credentials = Action::Logon(Logon {
        kind: LogonKind::Explicit,
        account: Subject { name: Some(r"CORP\admin".to_owned()), ..Subject::default() },
        logon_type: None,
        address: None,
        workstation: None,
        package: None,
        image: None,
        server: Some("fs02.corp.local".to_owned()),
    });
    let connection = Action::Connected(Connection {
        process_id: Some(4),
        outbound: Some(true),
        destination: "10.0.0.2".to_owned(),
        destination_port: Some(445),
        destination_name: Some("FS02".to_owned()),
        ..Connection::default()
    });
    Scene::service("Agent")
        .event(-5, credentials)
        .event(0, process(r"sc \\FS02 create evil binPath= C:\x.exe password= secret", 7))
        .event(1, process(r"sc  \\FS02 create evil binPath= C:\x.exe password= secret", 8))
        .event(2, connection)
        .event(20, process(r"PsExec64.exe \\FS02 -s cmd", 9))
        .event(30, process(r"sc \\localhost stop Agent", 10))
        .ask(|scope| {
            let acts = &scope.host.outbound;
            let shown: Vec<_> = acts
                .iter()
                .map(|act| (act.host.as_deref(), act.service.as_deref(), act.means))
                .collect();
            assert_eq!(
                shown,
                [(Some("FS02"), Some("evil"), "sc"), (Some("FS02"), Some("PSEXESVC"), "psexec")]
            );
            assert_eq!(acts[0].credentials.as_deref(), Some(r"CORP\admin"));
            assert_eq!(acts[0].citations.len(), 4);
            assert!(!acts[0].line.contains("secret"), "{}", acts[0].line);
            assert_eq!(scope.service.commands.len(), 1, "localhost is this host");
        })
        .unwrap();
}

#[test]
fn a_remote_command_of_the_corpus_is_in_the_report() {
    let Some(folder) = corpus_folder(ATTACKS) else { return };
    let name = "ID4688-Command SC to create service on remote host.evtx";
    let path = logs(&folder).into_iter().find(|path| path.ends_with(name)).unwrap();
    let report: HostReport = scan_one(&[path]);
    let [act] = report.outbound.as_slice() else { panic!("{:?}", report.outbound) };
    assert_eq!((act.host.as_deref(), act.service.as_deref()), (Some("fs02"), Some("hacker-testl")));
    assert_eq!((act.means.as_str(), act.citations.len()), ("sc", 1));
}
