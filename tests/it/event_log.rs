//! Selecting records on raw bytes against decoding every record the plain way.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::collections::BTreeSet;
use std::path::Path;

use evtx::{EvtxParser, ParserSettings};
use jiff::Timestamp;
use serde_json::Value;
use svctriage::artifact::event_kind;
use svctriage::artifact::event_log::{Record, RecordState, Selection};
use svctriage::host::Event;

use crate::support::corpus::{corpus_bytes, corpus_folder};
use crate::support::logs::{log, logs, read};

const FOLDERS: [&str; 4] = [
    "evtx/evtx-to-mitre-attack.tar.xz",
    "evtx/win10-benign-vm.tar.xz",
    "evtx/benign-system-logs.tar.xz",
    "evtx/server2016-capattack.tar.xz",
];

/// What both ways must agree on.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Plain {
    record_id: u64,
    event_id: u64,
    channel: String,
    provider: String,
    time: String,
    data: BTreeSet<String>,
}

/// The slow way: every record to text, the text to a tree, the tree searched by name.
fn plainly(bytes: &[u8], recovered: bool) -> Vec<Plain> {
    let settings = ParserSettings::new().num_threads(1).recover_records(recovered);
    let parser = EvtxParser::from_buffer(bytes.to_vec()).unwrap();
    let mut parser = parser.with_configuration(settings);
    parser
        .records_json()
        .map(Result::unwrap)
        .filter(|record| record.recovered == recovered)
        .filter_map(|record| {
            let tree = serde_json::from_str::<Value>(&record.data).ok()?;
            let has_id = !tree["Event"]["System"]["EventID"].is_null();
            has_id.then(|| plain(&tree["Event"], record.event_record_id, record.timestamp))
        })
        .collect()
}

fn plain(event: &Value, header_id: u64, header_time: Timestamp) -> Plain {
    let system = &event["System"];
    let mut data = BTreeSet::new();
    for (name, content) in event.as_object().unwrap() {
        if !["#attributes", "System", "RenderingInfo"].contains(&name.as_str()) {
            leaves(content, &mut data);
        }
    }
    let time = text(&system["TimeCreated"]["#attributes"]["SystemTime"]);
    let event_id = system["EventID"].get("#text").unwrap_or(&system["EventID"]);
    Plain {
        record_id: text(&system["EventRecordID"]).parse().unwrap_or(header_id),
        event_id: text(event_id).parse().unwrap(),
        channel: text(&system["Channel"]),
        provider: text(&system["Provider"]["#attributes"]["Name"]),
        time: svctriage::time::format(time.parse().unwrap_or(header_time)),
        data,
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn leaves(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Null => {}
        Value::Array(items) => items.iter().for_each(|item| leaves(item, into)),
        Value::Object(members) => members
            .iter()
            .filter(|(name, _)| *name != "#attributes")
            .for_each(|(_, content)| leaves(content, into)),
        leaf => {
            into.insert(text(leaf));
        }
    }
}

fn of(record: &Record) -> Plain {
    let hexadecimal = |bytes: &Vec<u8>| {
        bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().concat()
    };
    let named = record.data.iter().map(|(_, value)| value.clone());
    Plain {
        record_id: record.record_id,
        event_id: u64::from(record.event_id),
        channel: record.channel.clone(),
        provider: record.provider.clone(),
        time: svctriage::time::format(record.time),
        data: named
            .chain(record.params.iter().cloned())
            .chain(record.binary.as_ref().map(hexadecimal))
            .collect(),
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    logs: u64,
    live: u64,
    unflushed: u64,
    recovered: u64,
    damaged: u64,
    empty: u64,
    selected: u64,
    /// Records, of all, that had to be rendered.
    rendered: u64,
}

fn compare(path: &Path, selection: &Selection, totals: &mut Totals) {
    let bytes = std::fs::read(path).unwrap();
    let (reading, records) = read(&bytes, &Selection::all());
    let (by_rendering, rendered) = read(&bytes, &Selection::all().rendered());
    for (direct, rendered) in records.iter().zip(&rendered) {
        assert_eq!(direct, rendered, "{}", path.display());
    }
    assert_eq!(records.len(), rendered.len(), "{}", path.display());
    assert_eq!(reading.damage, by_rendering.damage, "{}", path.display());
    assert_eq!(reading.rejected, by_rendering.rejected, "{}", path.display());
    let mut live: Vec<Plain> =
        records.iter().filter(|one| one.state == RecordState::Live).map(of).collect();
    let mut expected = plainly(&bytes, false);
    // A log that has wrapped is read from its oldest chunk by one and from its first by the other.
    live.sort();
    expected.sort();
    for (ours, theirs) in live.iter().zip(&expected) {
        assert_eq!(ours, theirs, "{}", path.display());
    }
    assert_eq!(live.len(), expected.len(), "{}", path.display());
    assert_eq!(reading.live, live.len() as u64, "{}", path.display());
    let carved: BTreeSet<Plain> = plainly(&bytes, true).into_iter().collect();
    for record in records.iter().filter(|one| one.state != RecordState::Live) {
        assert!(carved.contains(&of(record)), "{}: {record:?}", path.display());
    }
    let (summary, selected) = read(&bytes, selection);
    let wanted: Vec<&Record> = records.iter().filter(|one| selection.wants(one)).collect();
    assert_eq!(selected.iter().collect::<Vec<_>>(), wanted, "{}", path.display());
    assert_eq!(summary.live, reading.live);
    assert_eq!(summary.channels, reading.channels);
    let counted: u64 = reading.channels.values().map(|span| span.records).sum();
    assert_eq!(counted, reading.live + reading.unflushed, "{}", path.display());
    totals.logs += 1;
    totals.live += reading.live;
    totals.unflushed += reading.unflushed;
    totals.recovered += reading.recovered;
    totals.damaged += reading.damaged;
    totals.empty += reading.chunks.empty;
    totals.selected += summary.selected;
    totals.rendered += reading.rendered;
}

/// The events of a service triage, some with their provider, some without.
fn service_events() -> Selection {
    let mut selection = Selection::none();
    for id in [7045, 7040, 7036, 7034, 7031, 7030, 7000, 7009, 7011, 7023, 7024, 7026] {
        selection = selection.event_of(id, "Service Control Manager");
    }
    for id in [104, 1100, 1102, 4697, 4688, 4657, 4624, 4648, 4672, 5145, 5156, 400, 800] {
        selection = selection.event(id);
    }
    for id in [1, 3, 5, 6, 7, 11, 12, 13, 14, 17, 18, 22] {
        selection = selection.event_of(id, "Microsoft-Windows-Sysmon");
    }
    for id in [4103, 4104] {
        selection = selection.event_in(id, "Microsoft-Windows-PowerShell/Operational");
    }
    selection
}

fn compare_folder(name: &str) -> Option<Totals> {
    let folder = corpus_folder(name)?;
    let mut totals = Totals::default();
    for path in logs(&folder) {
        compare(&path, &service_events(), &mut totals);
    }
    Some(totals)
}

#[test]
fn attack_logs_are_read_without_loss_or_invention() {
    let Some(totals) = compare_folder(FOLDERS[0]) else { return };
    let expected = Totals {
        logs: 281,
        live: 10_015,
        unflushed: 0,
        recovered: 685,
        empty: 375,
        selected: 5285,
        rendered: 8711,
        ..Totals::default()
    };
    assert_eq!(totals, expected);
}

#[test]
fn a_whole_windows_10_is_read_without_loss_or_invention() {
    let Some(totals) = compare_folder(FOLDERS[1]) else { return };
    let expected = Totals {
        logs: 109,
        live: 42_409,
        unflushed: 86,
        recovered: 21,
        empty: 326,
        selected: 1660,
        rendered: 2073,
        ..Totals::default()
    };
    assert_eq!(totals, expected);
}

#[test]
fn system_logs_are_read_without_loss_or_invention() {
    let Some(totals) = compare_folder(FOLDERS[2]) else { return };
    let expected =
        Totals { logs: 2, live: 3041, empty: 8, selected: 179, rendered: 70, ..Totals::default() };
    assert_eq!(totals, expected);
}

#[test]
fn a_server_copied_live_is_read_without_loss_or_invention() {
    let Some(totals) = compare_folder(FOLDERS[3]) else { return };
    let expected = Totals {
        logs: 309,
        live: 4605,
        unflushed: 620,
        recovered: 101,
        empty: 28,
        selected: 1345,
        rendered: 201,
        ..Totals::default()
    };
    assert_eq!(totals, expected);
}

/// `System.evtx` of the server was one chunk that Windows had not written back: most readers report no record at all.
#[test]
fn unflushed_records_are_read_and_not_called_deleted() {
    let Some(folder) = corpus_folder(FOLDERS[3]) else { return };
    let (reading, records) = read(&log(&folder, "logs/System.evtx"), &Selection::all());
    assert_eq!((reading.live, reading.unflushed, reading.recovered), (0, 164, 0));
    assert_eq!((reading.damaged, reading.remains), (0, 0));
    assert!(reading.rejected.is_empty());
    assert!(reading.header.unwrap().dirty);
    let mut ids: Vec<u64> = records.iter().map(|record| record.record_id).collect();
    ids.sort_unstable();
    assert_eq!(ids, (131_718..=131_881).collect::<Vec<u64>>());
    assert!(records.iter().all(|record| record.state == RecordState::Unflushed));
    assert!(records.iter().all(|record| record.event_id == 104 && record.channel == "System"));
    assert_eq!(records[0].get("SubjectUserName"), Some("Administrator"));
    let (first, last) = (reading.first.unwrap(), reading.last.unwrap());
    assert_eq!((first.record_id, last.record_id), (131_718, 131_881));
    assert_eq!((reading.gaps.count, reading.gaps.complete), (0, true));

    let shell = log(&folder, "logs/Windows PowerShell.evtx");
    let (reading, records) = read(&shell, &Selection::none().event_of(400, "PowerShell"));
    assert_eq!((reading.live, reading.unflushed, reading.recovered), (0, 27, 0));
    assert!(records.iter().all(|record| record.params.len() == 3));
    assert_eq!(reading.selected, records.len() as u64);
}

/// What is left out by a first look, and the fields that are not read, change nothing in what the records say.
#[test]
fn the_events_are_those_of_every_record_read_whole() {
    let artifact = std::sync::Arc::from("log");
    let (mut events, mut spared) = (0, 0);
    for folder in FOLDERS.iter().filter_map(|name| corpus_folder(name)) {
        for path in logs(&folder) {
            let bytes = std::fs::read(&path).unwrap();
            let interpreted = |selection: &Selection| -> (u64, Vec<Event>) {
                let (reading, records) = read(&bytes, selection);
                let said = records.iter().filter_map(|one| event_kind::interpret(one, &artifact));
                (reading.selected, said.collect())
            };
            let (all, expected) = interpreted(&Selection::all().rendered());
            let (few, found) = interpreted(&event_kind::selection());
            assert_eq!(found, expected, "{}", path.display());
            let (whole, as_well) = interpreted(&event_kind::selection().whole());
            assert_eq!(as_well, expected, "{}", path.display());
            assert!(few <= whole && whole <= all, "{}", path.display());
            events += found.len();
            spared += whole - few;
        }
    }
    assert!(events == 0 || events > 5000 && spared > 1000, "{events} events, {spared} spared");
}

#[test]
fn a_whole_channel_can_be_asked_for() {
    let Some(folder) = corpus_folder(FOLDERS[2]) else { return };
    let bytes = std::fs::read(&logs(&folder)[0]).unwrap();
    let (_, all) = read(&bytes, &Selection::all());
    let (_, system) = read(&bytes, &Selection::none().channel("SYSTEM"));
    assert_eq!((system.len(), &system), (1160, &all));
    let (reading, others) = read(&bytes, &Selection::none().channel("Security"));
    // Of remains without a readable template the channel is not known.
    assert_eq!((others.len(), reading.damaged), (0, 0));
}

/// Every record that the labels speak about is handed out with the event id they give.
#[test]
fn every_labelled_record_is_found() {
    let Some(truth) = corpus_bytes("evtx/truth.csv") else { return };
    let Some(folder) = corpus_folder(FOLDERS[0]) else { return };
    let mut rows = csv::Reader::from_reader(truth.as_slice());
    let mut labels: BTreeSet<(String, u64, u16)> = BTreeSet::new();
    for row in rows.records().map(Result::unwrap) {
        let id = row[3].parse();
        if let (true, Ok(record), Ok(event)) = (folder.join(&row[1]).is_file(), row[2].parse(), id)
        {
            labels.insert((row[1].to_owned(), record, event));
        }
    }
    let files: BTreeSet<&String> = labels.iter().map(|(file, ..)| file).collect();
    let mut found = BTreeSet::new();
    for file in files {
        let (_, records) = read(&std::fs::read(folder.join(file)).unwrap(), &Selection::all());
        found.extend(records.iter().map(|one| (file.clone(), one.file_record_id, one.event_id)));
    }
    let missing: Vec<_> = labels.difference(&found).collect();
    assert!(missing.is_empty(), "{} of {}: {:?}", missing.len(), labels.len(), &missing[..5]);
    assert_eq!(labels.len(), 1732);
}
