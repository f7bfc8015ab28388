//! What records of real logs say about services, against labels made by hand.

#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use svctriage::artifact::event_kind::{EVENT_LOGS, interpret, selection};
use svctriage::host::event::{ServiceNames, Subject};
use svctriage::host::{Action, Event};

use crate::support::corpus::{corpus_bytes, corpus_folder};
use crate::support::logs::{logs, read};

const ATTACKS: &str = "evtx/evtx-to-mitre-attack.tar.xz";

/// One labelled record.
#[derive(Debug, serde::Deserialize)]
struct Label {
    file: String,
    record: String,
    event_id: String,
    service_name: String,
    display_name: String,
    image_path_or_value: String,
    account: String,
    who: String,
    who_sid: String,
}

fn or_none(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Labels cut long values short, and leave the spaces at their ends out.
fn same(ours: &str, label: &str) -> bool {
    ours.trim().starts_with(label.trim())
}

fn names(service: &ServiceNames, label: &Label, place: &str) {
    if let Some(key) = or_none(&label.service_name).filter(|_| service.key.is_some()) {
        assert_eq!(service.key, Some(key), "{place}");
    }
    let display = service.display.as_deref().unwrap_or_default();
    assert!(same(display, &label.display_name), "{place}: {display}");
}

fn who(subject: &Subject, label: &Label, place: &str) {
    assert_eq!(subject.name, or_none(&label.who), "{place}");
    assert_eq!(subject.sid, or_none(&label.who_sid), "{place}");
}

/// Asserts that an event says what the label says; false where the label says nothing to compare.
fn agrees(event: &Event, label: &Label) -> bool {
    let place = format!("{} record {}: {event:?}", label.file, label.record);
    match &event.action {
        Action::ServiceInstalled(install) => {
            names(&install.service, label, &place);
            assert!(same(&install.image_path, &label.image_path_or_value), "{place}");
            assert_eq!(install.account, label.account, "{place}");
            if install.service.key.is_some() {
                who(&install.subject, label, &place);
            } else {
                assert_eq!(event.user_sid, or_none(&label.who_sid), "{place}");
            }
        }
        Action::StateChanged { service, state } => {
            names(service, label, &place);
            let words = if *state == Some(4) { "running" } else { "stopped" };
            assert_eq!(words, label.image_path_or_value, "{place}");
        }
        Action::Failed { service, .. } => names(service, label, &place),
        Action::ProcessStarted(process) => {
            let command = process.command_line.as_deref().unwrap_or(&process.image);
            // A label on `sc create` gives the path that the command sets.
            assert!(command.contains(label.image_path_or_value.trim()), "{place}\n{label:?}");
        }
        Action::RegistryChanged(change) => {
            assert_eq!(change.service.as_deref(), Some(&*label.service_name), "{place}");
        }
        _ => return false,
    }
    true
}

#[test]
fn labelled_records_say_what_the_labels_say() {
    let Some(truth) = corpus_bytes("evtx/truth.csv") else { return };
    let Some(folder) = corpus_folder(ATTACKS) else { return };
    let mut labels: BTreeMap<String, Vec<Label>> = BTreeMap::new();
    for label in csv::Reader::from_reader(truth.as_slice()).deserialize::<Label>() {
        let label = label.unwrap();
        if folder.join(&label.file).is_file() {
            labels.entry(label.file.clone()).or_default().push(label);
        }
    }
    let mut compared: BTreeMap<String, u32> = BTreeMap::new();
    for (file, labels) in &labels {
        let (_, records) = read(&std::fs::read(folder.join(file)).unwrap(), &selection());
        let artifact = Arc::from(file.as_str());
        for label in labels {
            let record = records.iter().find(|one| {
                one.file_record_id.to_string() == label.record
                    && one.event_id.to_string() == label.event_id
            });
            let event = record.and_then(|record| interpret(record, &artifact));
            if event.is_some_and(|event| agrees(&event, label)) {
                *compared.entry(label.event_id.clone()).or_default() += 1;
            }
        }
    }
    let counts: Vec<(&str, u32)> = compared.iter().map(|(id, n)| (id.as_str(), *n)).collect();
    let expected = [
        ("1", 2),
        ("13", 13),
        ("4688", 529),
        ("4697", 8),
        ("7000", 244),
        ("7009", 247),
        ("7036", 3),
        ("7045", 253),
    ];
    assert_eq!(counts, expected);
}

/// Every kind of event whose provider is in the corpus is read into an action, and the fields it names are there.
#[test]
fn the_fields_of_every_kind_are_those_of_real_records() {
    let mut seen: BTreeMap<u16, u64> = BTreeMap::new();
    let mut fields: BTreeMap<u16, BTreeSet<String>> = BTreeMap::new();
    for name in [ATTACKS, "evtx/benign-system-logs.tar.xz", "evtx/server2016-capattack.tar.xz"] {
        let Some(folder) = corpus_folder(name) else { return };
        for path in logs(&folder) {
            let (_, records) = read(&std::fs::read(path).unwrap(), &selection().whole());
            for record in records {
                let known = fields.entry(record.event_id).or_default();
                known.extend(record.data.iter().map(|(name, _)| name.clone()));
                known.extend(record.binary.is_some().then(|| "Binary".to_owned()));
                known.extend((1..=record.params.len()).map(|n| format!("unnamed data {n}")));
                if interpret(&record, &Arc::from("log")).is_some() {
                    *seen.entry(record.event_id).or_default() += 1;
                }
            }
        }
    }
    // In Windows 10 2004 and later only.
    let newer = ["ClientProcessId", "ParentProcessId"];
    for kind in EVENT_LOGS.into_iter().flatten() {
        let Some(known) = fields.get(&kind.id) else { continue };
        for field in kind.fields.iter().filter(|field| !newer.contains(field)) {
            assert!(known.contains(*field), "{} has no {field}: {known:?}", kind.id);
        }
    }
    let expected = [
        [(1, 37), (3, 7), (5, 22), (7, 20), (10, 5), (11, 468), (12, 15), (13, 49)].as_slice(),
        &[(17, 6), (18, 15), (22, 1), (104, 258), (400, 6), (800, 177), (1102, 32)],
        &[(4103, 205), (4104, 126), (4624, 199), (4625, 28), (4648, 7), (4672, 66)],
        &[(4674, 22), (4688, 1414), (4689, 43), (4697, 8), (5145, 1997), (5156, 3)],
        &[(7000, 247), (7009, 247), (7023, 14), (7026, 6), (7030, 2), (7036, 3)],
        &[(7040, 76), (7045, 329)],
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected.concat());
}
