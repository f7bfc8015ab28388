//! The two logs of Windows PowerShell.

use jiff::Timestamp;

use super::{event, text};
use crate::lab::evtx::{Event, Payload, Provider, Value};
use crate::lab::machine::process::Process;

const OPERATIONAL: Provider = Provider::Manifest(
    "Microsoft-Windows-PowerShell",
    [
        0x3b, 0x85, 0xc1, 0xa0, 0x40, 0x5c, 0x15, 0x4b, 0x87, 0x66, 0x3c, 0xf1, 0xc5, 0x8f, 0x98,
        0x5a,
    ],
);
const VERSION: &str = "5.1.18362.2158";

/// 400 (started) or 403 (stopped): the engine's state, with the command line as `HostApplication`.
pub(in crate::lab::machine) fn engine(at: Timestamp, process: &Process, available: bool) -> Event {
    let (id, new, old) =
        if available { (400, "Available", "None") } else { (403, "Stopped", "Available") };
    let fields = [
        ("NewEngineState", new),
        ("PreviousEngineState", old),
        ("SequenceNumber", if available { "13" } else { "15" }),
        ("HostName", "ConsoleHost"),
        ("HostVersion", VERSION),
        ("HostApplication", &process.command),
        ("EngineVersion", VERSION),
    ];
    let details: Vec<String> =
        fields.iter().map(|(name, value)| format!("\t{name}={value}")).collect();
    let texts = vec![new.to_owned(), old.to_owned(), details.join("\r\n")];
    let mut event = event(Provider::Classic("PowerShell"), id, at, Payload::Unnamed(texts, None));
    event.qualifiers = Some(0);
    event.task = 4;
    event.keywords = 0x80_0000_0000_0000;
    event
}

/// 4104: a script block was compiled.
pub(in crate::lab::machine) fn script_block(
    at: Timestamp,
    process: &Process,
    script: &str,
) -> Event {
    let data = vec![
        ("MessageNumber", Value::Dword(1)),
        ("MessageTotal", Value::Dword(1)),
        ("ScriptBlockText", text(script)),
        ("ScriptBlockId", text("3f0c5a9e-8d0b-4d6e-9a55-5f1c3b2e7a10")),
        ("Path", text("")),
    ];
    let mut event = event(OPERATIONAL, 4104, at, Payload::Named(data, None));
    event.version = 1;
    event.level = 3;
    event.task = 2;
    event.opcode = 15;
    event.execution = (process.pid, 9704);
    event.user = Some(process.session.account.sid.clone());
    event
}
