//! Writes a Security log of any size, to measure with.
//!
//!     cargo run --release --example make_large_log -- FILE MIB WANTED [HELD]
//!
//! Of 100 records, WANTED are processes started, logons and privileges; the others are handles closed, which a scan does not
//! read. All differ in record id and time. HELD is how many MiB hold records (all where it is left out); the rest of the
//! file is a hole, as in a log that has not reached its size.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write};

use jiff::{SignedDuration, Timestamp};
use svctriage::lab::evtx::{
    CHUNK_SIZE, Event, FILE_HEADER_SIZE, Log, Payload, Provider, State, Value, shift,
};

const AUDIT: Provider = Provider::Manifest(
    "Microsoft-Windows-Security-Auditing",
    [0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 3, 0x28, 0xc3, 0x0d],
);
/// The first record's id: numbers that stand nowhere else in a record.
const FIRST: u64 = 1 << 40;
/// Records of the part that is repeated.
const RECORDS: u32 = 20_000;
const MIB: u64 = 1 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (path, numbers) =
        arguments.split_first().ok_or("usage: make_large_log FILE MIB WANTED [HELD]")?;
    let numbers: Vec<u64> = numbers.iter().map(|one| one.parse()).collect::<Result<_, _>>()?;
    let (size, wanted, held) = match *numbers.as_slice() {
        [size, wanted] => (size, wanted, size),
        [size, wanted, held] => (size, wanted, held),
        _ => return Err("usage: make_large_log FILE MIB WANTED [HELD]".into()),
    };
    let (small, span) = part(wanted)?;
    let (header, chunks) = small.split_at_checked(FILE_HEADER_SIZE).ok_or("no header")?;
    let mut out = BufWriter::new(File::create(path)?);
    out.write_all(header)?;
    let mut written = 0_u64;
    'file: for round in 0_u64.. {
        for chunk in chunks.chunks_exact(CHUNK_SIZE) {
            if written >= held.saturating_mul(MIB) {
                break 'file;
            }
            let mut chunk = chunk.to_vec();
            shift(&mut chunk, round.saturating_mul(u64::from(RECORDS)), round.saturating_mul(span));
            out.write_all(&chunk)?;
            written = written.saturating_add(u64::try_from(chunk.len())?);
        }
    }
    let file = out.into_inner()?;
    file.set_len(size.saturating_mul(MIB).max(file.metadata()?.len()))?;
    Ok(())
}

/// A small log, and how many ticks (100 ns) it spans.
fn part(wanted: u64) -> Result<(Vec<u8>, u64), Box<dyn Error>> {
    let mut log = Log::new("Security", "DC-01.corp.example", FIRST);
    let mut time: Timestamp = "2026-01-05T08:00:00.1234567Z".parse()?;
    let start = time;
    for number in 0..RECORDS {
        let event = if u64::from(number % 100) < wanted { telling(number) } else { closed(number) };
        log.push(&Event { time, ..event }).ok_or("a record does not fit")?;
        time = time.saturating_add(SignedDuration::from_micros(37_013))?;
    }
    let ticks = time.duration_since(start).as_nanos() / 100;
    Ok((log.to_bytes(State::Closed), u64::try_from(ticks)?))
}

fn event(id: u16, data: Vec<(&'static str, Value)>) -> Event {
    Event {
        provider: AUDIT,
        id,
        qualifiers: None,
        version: 1,
        level: 0,
        task: 12_804,
        opcode: 0,
        keywords: 0x8020_0000_0000_0000,
        time: Timestamp::UNIX_EPOCH,
        execution: (4, 5288),
        user: None,
        activity: None,
        payload: Payload::Named(data, None),
    }
}

fn subject(number: u32) -> Vec<(&'static str, Value)> {
    vec![
        ("SubjectUserSid", Value::text("S-1-5-18")),
        ("SubjectUserName", Value::text("DC-01$")),
        ("SubjectDomainName", Value::text("CORP")),
        ("SubjectLogonId", Value::Hex64(u64::from(number).saturating_add(0x3e7))),
    ]
}

fn closed(number: u32) -> Event {
    let mut data = subject(number);
    data.extend([
        ("ObjectServer", Value::text("Security")),
        ("HandleId", Value::Hex64(u64::from(number))),
        ("ProcessId", Value::Hex64(0x2c4)),
        ("ProcessName", Value::text(r"C:\Windows\System32\svchost.exe")),
    ]);
    event(4658, data)
}

fn telling(number: u32) -> Event {
    let mut data = subject(number);
    match number % 3 {
        0 => {
            data.extend([
                ("NewProcessId", Value::Hex64(u64::from(number))),
                ("NewProcessName", Value::text(r"C:\Program Files\Agent\collect.exe")),
                ("TokenElevationType", Value::text("%%1936")),
                ("ProcessId", Value::Hex64(0x2c4)),
                ("CommandLine", Value::Text(format!("collect.exe --part {number}"))),
                ("ParentProcessName", Value::text(r"C:\Program Files\Agent\agent.exe")),
            ]);
            event(4688, data)
        }
        1 => {
            data.extend([
                ("TargetUserSid", Value::text("S-1-5-21-1004336348-1177238915-682003330-1104")),
                ("TargetUserName", Value::Text(format!("user{}", number % 500))),
                ("TargetDomainName", Value::text("CORP")),
                ("TargetLogonId", Value::Hex64(u64::from(number).saturating_add(0x1_0000))),
                ("LogonType", Value::Dword(3)),
                ("LogonProcessName", Value::text("Kerberos")),
                ("AuthenticationPackageName", Value::text("Kerberos")),
                ("WorkstationName", Value::text("-")),
                ("ProcessName", Value::text("-")),
                ("IpAddress", Value::Text(format!("10.20.{}.17", number % 250))),
            ]);
            event(4624, data)
        }
        _ => event(4672, data),
    }
}
