//! Reading event logs that the lab wrote: what was put in comes out, in every state a collector finds a log in.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use jiff::SignedDuration;
use svctriage::artifact::event_log::{Record, RecordState, Selection};
use svctriage::lab::Sid;
use svctriage::lab::evtx::{Log, Payload, Provider, State, Value};

use crate::support::lab::{event, start};
use crate::support::logs::read;

const SCM: Provider =
    Provider::Source("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}");
const AUDIT: Provider = Provider::Manifest("Microsoft-Windows-Security-Auditing", [7; 16]);
const EVENT_LOG: Provider =
    Provider::Service("Microsoft-Windows-Eventlog", "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}");
const POWERSHELL: Provider = Provider::Classic("PowerShell");

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Every third event an installation, the others changes of state; ten record ids left out in the middle.
fn system_log(events: u32) -> Log {
    let mut log = Log::new("System", "FIN-WS-014", 100);
    for number in 0..events {
        if number == events / 2 {
            log.skip(10);
        }
        let name = format!("Service number {number}");
        let mut one = if number % 3 == 0 {
            let path = Value::text("C:\\Windows\\x.exe");
            event(
                SCM,
                7045,
                Payload::Named(vec![("ServiceName", Value::Text(name)), ("ImagePath", path)], None),
            )
        } else {
            let data = vec![("param1", Value::Text(name)), ("param2", Value::text("running"))];
            event(SCM, 7036, Payload::Named(data, Some(utf16("Svc/4\0"))))
        };
        one.time = start() + SignedDuration::from_secs(i64::from(number));
        log.push(&one).unwrap();
    }
    log
}

#[test]
fn every_state_of_a_log_gives_the_same_records() {
    let log = system_log(900);
    let closed = log.to_bytes(State::Closed);
    let (whole, records) = read(&closed, &Selection::all());
    assert_eq!((whole.live, whole.unflushed, records.len()), (900, 0, 900));
    assert!(whole.chunks.total >= 4, "{:?}", whole.chunks);
    for (state, live_copy) in
        [(State::Closed, false), (State::Dirty, false), (State::LiveCopy, true)]
    {
        let (reading, same) = read(&log.to_bytes(state), &Selection::all());
        let in_last = records.iter().filter(|one| one.chunk + 1 == whole.chunks.total).count();
        let unflushed = if live_copy { in_last as u64 } else { 0 };
        assert!(in_last > 0);
        assert_eq!((reading.live, reading.unflushed), (900 - unflushed, unflushed), "{state:?}");
        assert_eq!((reading.damaged, reading.remains), (0, 0), "{state:?}");
        assert_eq!(reading.chunks.unflushed, u64::from(live_copy));
        assert_eq!(reading.header.unwrap().dirty, state != State::Closed);
        assert_eq!((reading.first, reading.last), (whole.first, whole.last));
        assert_eq!(reading.channels, whole.channels);
        assert_eq!(reading.computers, [("FIN-WS-014".to_owned(), 900)].into());
        for (left, right) in same.iter().zip(&records) {
            let at_end = left.chunk + 1 == whole.chunks.total;
            let expected =
                if live_copy && at_end { RecordState::Unflushed } else { RecordState::Live };
            assert_eq!(left.state, expected);
            assert_eq!(&Record { state: right.state, ..left.clone() }, right);
        }
    }
}

#[test]
fn gaps_are_named_with_the_records_around_them() {
    let (reading, _) = read(&system_log(900).to_bytes(State::Closed), &Selection::none());
    assert_eq!(reading.selected, 0);
    let gaps = &reading.gaps;
    assert_eq!((gaps.count, gaps.missing, gaps.complete), (1, 10, true));
    let gap = gaps.list[0];
    assert_eq!((gap.before.record_id, gap.after.record_id), (549, 560));
    assert_eq!(gap.after.time, Some(start() + SignedDuration::from_secs(450)));
    let span = &reading.channels["System"];
    assert_eq!((span.records, span.first), (900, Some(start())));
    assert_eq!(span.last, Some(start() + SignedDuration::from_secs(899)));
}

#[test]
fn selection_decodes_what_is_asked_for() {
    let bytes = system_log(900).to_bytes(State::LiveCopy);
    let (_, all) = read(&bytes, &Selection::all());
    for (selection, expected) in [
        (Selection::none().event(7045), 300),
        (Selection::none().event_of(7045, "service control manager"), 300),
        (Selection::none().event_of(7045, "Somebody"), 0),
        (Selection::none().event_in(7036, "system"), 600),
        (Selection::none().event_in(7036, "Security"), 0),
        (Selection::none().event(1), 0),
    ] {
        let (reading, records) = read(&bytes, &selection);
        let wanted: Vec<Record> = all.iter().filter(|one| selection.wants(one)).cloned().collect();
        assert_eq!(records, wanted);
        assert_eq!((records.len(), reading.selected), (expected, expected as u64));
        assert_eq!(reading.live + reading.unflushed, 900);
    }
}

#[test]
fn every_form_of_record_is_read_exactly() {
    let user = Sid::parse("S-1-5-21-1-2-3-1104").unwrap();
    let mut log = Log::new("Security", "HOST", 1);
    let names = vec![
        ("ServiceName", Value::text("a<b>&\"c\"\u{1b}[31m")),
        ("ServiceType", Value::Hex32(0x10)),
        ("ServiceStartType", Value::Dword(3)),
        ("SubjectUserSid", Value::Sid(user.clone())),
        ("SubjectLogonId", Value::Hex64(0x137_6020)),
        ("Absent", Value::Null),
        ("Enabled", Value::Bool(true)),
    ];
    let mut install = event(AUDIT, 4697, Payload::Named(names, None));
    install.user = Some(user);
    log.push(&install).unwrap();
    let values = vec![("SubjectUserName", Value::text("bob")), ("Channel", Value::text("System"))];
    let cleared = Payload::User { element: "LogFileCleared", namespace: "urn:x", values };
    log.push(&event(EVENT_LOG, 1102, cleared)).unwrap();
    let unnamed = Payload::Unnamed(vec!["one".into(), "two\r\nlines".into()], Some(vec![1, 2]));
    log.push(&event(POWERSHELL, 800, unnamed)).unwrap();

    let (reading, records) = read(&log.to_bytes(State::Closed), &Selection::all());
    assert_eq!((reading.live, reading.damaged, records.len()), (3, 0, 3));
    let install = &records[0];
    assert_eq!((install.event_id, install.time, install.level), (4697, start(), Some(4)));
    assert!(install.is_from("Microsoft-Windows-Security-Auditing"));
    assert_eq!((&*install.channel, &*install.computer), ("Security", "HOST"));
    assert_eq!(install.user_sid.as_deref(), Some("S-1-5-21-1-2-3-1104"));
    assert_eq!((install.process_id, install.thread_id), (Some(724), Some(3336)));
    assert_eq!(install.keywords, Some(0x8080_0000_0000_0000));
    let data: Vec<_> = install.data.iter().map(|(name, value)| (&**name, &**value)).collect();
    assert_eq!(
        data,
        [
            ("ServiceName", "a<b>&\"c\"\u{1b}[31m"),
            ("ServiceType", "0x10"),
            ("ServiceStartType", "3"),
            ("SubjectUserSid", "S-1-5-21-1-2-3-1104"),
            ("SubjectLogonId", "0x1376020"),
            ("Absent", ""),
            ("Enabled", "true"),
        ]
    );
    assert_eq!(records[1].get("SubjectUserName"), Some("bob"));
    assert_eq!(records[1].get("channel"), Some("System"));
    assert_eq!(records[2].params, ["one", "two\r\nlines"]);
    assert_eq!(records[2].binary.as_deref(), Some(&[1, 2][..]));
    let shell = Selection::none().event_of(800, "PowerShell");
    assert_eq!(read(&log.to_bytes(State::Closed), &shell).1, records[2..]);
}

#[test]
fn chunks_that_the_header_counts_and_the_file_has_not_are_missing() {
    let bytes = system_log(900).to_bytes(State::Closed);
    let (whole, _) = read(&bytes, &Selection::none());
    assert_eq!(whole.missing_chunks(), 0);
    for (length, chunks) in [(128, 0), (4096, 0), (4096 + 65_536, 1), (4096 + 65_537, 2)] {
        let (cut, _) = read(&bytes[..length], &Selection::none());
        assert_eq!(cut.missing_chunks(), whole.chunks.total - chunks, "{length}");
    }
}
