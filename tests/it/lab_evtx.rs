//! Event logs the lab writes, read by an independent reader.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests fail loudly, as tests do"
)]

use evtx::{EvtxParser, ParserSettings, SerializedEvtxRecord};
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use svctriage::lab::Sid;
use svctriage::lab::evtx::{Event, Log, Payload, Provider, State, Value};

use crate::support::lab::event;

const SCM: Provider =
    Provider::Source("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}");
const AUDIT: Provider = Provider::Manifest(
    "Microsoft-Windows-Security-Auditing",
    [0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 3, 0x28, 0xc3, 0x0d],
);

fn state(number: u32) -> Event {
    let name = format!("Service number {number}");
    let mut event = event(
        SCM,
        7036,
        Payload::Named(
            vec![("param1", Value::Text(name)), ("param2", Value::text("running"))],
            Some(vec![b'S', 0, b'/', 0, b'4', 0, 0, 0]),
        ),
    );
    event.qualifiers = Some(16384);
    event
}

fn read(bytes: &[u8], recover: bool) -> (Vec<SerializedEvtxRecord<Json>>, usize) {
    let settings =
        ParserSettings::new().num_threads(1).recover_records(recover).validate_checksums(true);
    let mut parser = EvtxParser::from_buffer(bytes.to_vec()).unwrap().with_configuration(settings);
    let (records, errors): (Vec<_>, Vec<_>) = parser.records_json_value().partition(Result::is_ok);
    for error in &errors {
        println!("{}", error.as_ref().unwrap_err());
    }
    (records.into_iter().map(Result::unwrap).collect(), errors.len())
}

fn one(event: &Event, channel: &str) -> Json {
    let mut log = Log::new(channel, "FIN-WS-014", 77);
    assert_eq!(log.push(event), Some(77));
    let (records, errors) = read(&log.to_bytes(State::Closed), false);
    assert_eq!((records.len(), errors), (1, 0));
    assert_eq!(records[0].event_record_id, 77);
    records.into_iter().next().unwrap().data["Event"].take()
}

#[test]
fn a_source_event_reads_back_as_windows_writes_it() {
    let mut event = state(1);
    event.user = Sid::parse("S-1-5-21-1-2-3-1001");
    let json = one(&event, "System");
    assert_eq!(
        json["System"]["Provider"]["#attributes"],
        json!({"Name": "Service Control Manager", "Guid": "{555908d1-a6d7-4695-8e1e-26931d2012f4}",
            "EventSourceName": "Service Control Manager"})
    );
    assert_eq!(
        json["System"]["EventID"],
        json!({"#attributes": {"Qualifiers": 16384}, "#text": 7036})
    );
    assert_eq!(
        json["System"]["TimeCreated"]["#attributes"]["SystemTime"],
        "2023-05-04T12:00:00.1234567Z"
    );
    assert_eq!(json["System"]["Security"]["#attributes"]["UserID"], "S-1-5-21-1-2-3-1001");
    assert_eq!(json["System"]["Channel"], "System");
    assert_eq!(json["System"]["Computer"], "FIN-WS-014");
    assert_eq!(
        json["System"]["Execution"]["#attributes"],
        json!({"ProcessID": 724, "ThreadID": 3336})
    );
    assert_eq!(
        json["EventData"],
        json!({"param1": "Service number 1", "param2": "running", "Binary": "53002F0034000000"})
    );
}

#[test]
fn a_manifest_event_carries_provider_and_channel_as_values() {
    let payload = Payload::Named(
        vec![
            ("SubjectUserSid", Value::Sid(Sid::system())),
            ("SubjectLogonId", Value::Hex64(0x3e7)),
            ("ServiceType", Value::Hex32(0x10)),
            ("ServiceStartType", Value::Dword(3)),
            ("ServiceName", Value::text("PSEXESVC")),
            ("Initiated", Value::Bool(true)),
            ("Missing", Value::Null),
        ],
        None,
    );
    let mut event = event(AUDIT, 4697, payload);
    event.activity = Some([1; 16]);
    let json = one(&event, "Security");
    assert_eq!(json["System"]["EventID"], 4697);
    assert_eq!(json["System"]["Channel"], "Security");
    assert_eq!(
        json["System"]["Provider"]["#attributes"]["Name"],
        "Microsoft-Windows-Security-Auditing"
    );
    assert_eq!(json["EventData"]["SubjectUserSid"], "S-1-5-18");
    assert_eq!(json["EventData"]["SubjectLogonId"], "0x3e7");
    assert_eq!(json["EventData"]["ServiceType"], "0x10");
    assert_eq!(json["EventData"]["ServiceStartType"], 3);
    assert_eq!(json["EventData"]["ServiceName"], "PSEXESVC");
    assert_eq!(json["EventData"]["Initiated"], true);
}

#[test]
fn unnamed_data_and_user_data_have_their_own_shapes() {
    let texts = vec!["Available".to_owned(), "None".to_owned()];
    let json = one(
        &event(Provider::Classic("PowerShell"), 400, Payload::Unnamed(texts, None)),
        "Windows PowerShell",
    );
    assert_eq!(json["EventData"]["Data"], json!({"#text": ["Available", "None"]}));
    let json = one(
        &event(
            Provider::Service(
                "Microsoft-Windows-Eventlog",
                "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}",
            ),
            1102,
            Payload::User {
                element: "LogFileCleared",
                namespace: "http://manifests.microsoft.com/win/2004/08/windows/eventlog",
                values: vec![("SubjectUserName", Value::text("m.keller"))],
            },
        ),
        "Security",
    );
    assert_eq!(json["UserData"]["LogFileCleared"]["SubjectUserName"], "m.keller");
}

fn long_log() -> Log {
    let mut log = Log::new("System", "FIN-WS-014", 1000);
    for number in 0..900 {
        log.push(&state(number)).unwrap();
        if number == 100 {
            log.skip(50);
        }
    }
    log
}

#[test]
fn records_fill_chunks_whose_checksums_hold() {
    let bytes = long_log().to_bytes(State::Closed);
    assert!(bytes.len() > 4096 + 65_536 * 2 && (bytes.len() - 4096).is_multiple_of(65_536));
    let (records, errors) = read(&bytes, false);
    assert_eq!((records.len(), errors), (900, 0));
    let ids: Vec<u64> = records.iter().map(|record| record.event_record_id).collect();
    assert_eq!((ids[100], ids[101], ids[899]), (1100, 1151, 1949));
    assert_eq!(
        records[899].timestamp,
        "2023-05-04T12:00:00.1234567Z".parse::<Timestamp>().unwrap()
    );
}

#[test]
fn the_last_chunk_of_a_live_copy_is_read_only_by_recovery() {
    let log = long_log();
    let (closed, live) = (log.to_bytes(State::Closed), log.to_bytes(State::LiveCopy));
    assert_eq!(closed.len(), live.len());
    let (records, errors) = read(&live, false);
    assert!(records.len() < 900 && records.len() > 300, "{}", records.len());
    assert_eq!(errors, 0);
    let last = closed.len() - 65_536;
    assert_eq!(live[last + 8..last + 16], closed[last + 8..last + 16]);
    assert_eq!(live[last + 16..last + 40], [0xff; 24]);
    let settings = ParserSettings::new().num_threads(1).recover_records(true);
    let mut parser = EvtxParser::from_buffer(live).unwrap().with_configuration(settings);
    let all = parser.records_json_value().flatten().count();
    assert_eq!(all, 900);
}

#[test]
fn a_dirty_log_loses_nothing_and_an_empty_one_is_valid() {
    let (records, errors) = read(&long_log().to_bytes(State::Dirty), false);
    assert_eq!((records.len(), errors), (900, 0));
    let (records, errors) =
        read(&Log::new("System", "FIN-WS-014", 1).to_bytes(State::Closed), true);
    assert_eq!((records.len(), errors), (0, 0));
    let huge = Payload::Unnamed(vec!["x".repeat(40_000)], None);
    let mut log = Log::new("System", "FIN-WS-014", 1);
    assert_eq!(log.push(&event(Provider::Classic("PowerShell"), 800, huge)), None);
    assert_eq!(log.push(&state(1)), Some(1));
}
