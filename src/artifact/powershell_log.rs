//! The PowerShell logs, classic and operational: commands and scripts that ran.

use super::event_kind::{EventKind, number, raw};
use super::event_log::Record;
use crate::host::Action;

const CLASSIC: &[&str] = &["PowerShell"];
/// Windows PowerShell, and PowerShell 6 and later.
const OPERATIONAL: &[&str] = &["Microsoft-Windows-PowerShell", "PowerShellCore"];

/// The events read from the PowerShell logs.
pub const EVENTS: &[EventKind] = &[
    EventKind {
        id: 400,
        providers: CLASSIC,
        meaning: "The PowerShell engine started; the details name the host application.",
        fields: &["unnamed data 3"],
        read: |record| {
            let host_application = setting(record.param(3)?, "HostApplication=")?;
            Some(Action::Script {
                text: host_application.clone(),
                host_application: Some(host_application),
                block: None,
            })
        },
    },
    EventKind {
        id: 800,
        providers: CLASSIC,
        meaning: "A pipeline ran: its line, its context, and the commands with their parameters.",
        fields: &["unnamed data 1", "unnamed data 2", "unnamed data 3"],
        read: |record| {
            let parts = [record.param(1), record.param(3)].into_iter().flatten();
            let text: Vec<&str> = parts.map(str::trim).filter(|part| !part.is_empty()).collect();
            Some(Action::Script {
                text: text.join("\n"),
                host_application: setting(record.param(2)?, "HostApplication="),
                block: None,
            })
        },
    },
    EventKind {
        id: 4103,
        providers: OPERATIONAL,
        meaning: "A command ran, with its parameters (module logging).",
        fields: &["ContextInfo", "Payload"],
        read: |record| {
            let context = record.get("ContextInfo").unwrap_or_default();
            // The labels are localised: elsewhere than in English the host application stays unknown.
            Some(Action::Script {
                text: record.get("Payload")?.to_owned(),
                host_application: setting(context, "Host Application ="),
                block: None,
            })
        },
    },
    EventKind {
        id: 4104,
        providers: OPERATIONAL,
        meaning: "A script block was compiled; long ones come in parts.",
        fields: &["ScriptBlockText", "ScriptBlockId", "MessageNumber", "MessageTotal"],
        read: |record| Some(script_block(record)),
    },
];

fn script_block(record: &Record) -> Action {
    let part = number(record, "MessageNumber");
    let of = number(record, "MessageTotal");
    let block = match (record.get("ScriptBlockId"), part, of) {
        (Some(id), Some(part), Some(of)) => Some((id.to_lowercase(), part, of)),
        _ => None,
    };
    Action::Script { text: raw(record, "ScriptBlockText"), host_application: None, block }
}

/// The rest of the line that starts so, spaces around it aside.
fn setting(text: &str, label: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.trim_start().strip_prefix(label))?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::event_kind::testing::{action, record};
    use super::*;

    fn script(text: &str, host: Option<&str>) -> Action {
        let host_application = host.map(str::to_owned);
        Action::Script { text: text.to_owned(), host_application, block: None }
    }

    #[test]
    fn classic_events_are_positional() {
        let mut start = record("PowerShell", 400, &[]);
        start.params = vec![
            "Available".to_owned(),
            "None".to_owned(),
            "\tHostName=ConsoleHost\r\n\tHostApplication=powershell -nop -w hidden\r\n".to_owned(),
        ];
        let host = "powershell -nop -w hidden";
        assert_eq!(action(&start), Some(script(host, Some(host))));
        let mut pipeline = record("PowerShell", 800, &[]);
        pipeline.params = vec![
            "New-Service x".to_owned(),
            "\tUserId=CORP\\bob\r\n\tHostApplication=C:\\ps.exe\r\n\tEngineVersion=5.1".to_owned(),
            "CommandInvocation(New-Service): \"New-Service\"\r\n".to_owned(),
        ];
        let expected = "New-Service x\nCommandInvocation(New-Service): \"New-Service\"";
        assert_eq!(action(&pipeline), Some(script(expected, Some("C:\\ps.exe"))));
    }

    #[test]
    fn module_and_script_block_logging() {
        let data = [
            (
                "ContextInfo",
                "        Severity = Informational\r\n        Host Application = ps.exe\r\n",
            ),
            ("Payload", "CommandInvocation(Set-Service)"),
        ];
        let module = record("Microsoft-Windows-PowerShell", 4103, &data);
        assert_eq!(action(&module), Some(script("CommandInvocation(Set-Service)", Some("ps.exe"))));
        let data = [
            ("MessageNumber", "2"),
            ("MessageTotal", "3"),
            ("ScriptBlockText", "sc.exe create x"),
            ("ScriptBlockId", "914CF92F-B992-4C8A-A966-70366D0ECD57"),
        ];
        let Some(Action::Script { text, block, .. }) =
            action(&record("PowerShellCore", 4104, &data))
        else {
            panic!("no script");
        };
        let id = "914cf92f-b992-4c8a-a966-70366d0ecd57".to_owned();
        assert_eq!((&*text, block), ("sc.exe create x", Some((id, 2, 3))));
    }
}
