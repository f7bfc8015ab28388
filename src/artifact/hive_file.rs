//! A hive as evidence: read whole, its transaction logs beside it applied, told apart by what it holds.

use std::io::Read as _;

use super::hive::{Hive, HiveError, Key, LogFile, LogReport, Replayed, replay};
use super::{Input, Known, Sink, security_hive, software_hive, system_hive};
use crate::evidence::{Evidence, Found};
use crate::host::{Origin, Span, State};

/// A hive is read whole; Windows itself limits SYSTEM far below this.
const LARGEST: u64 = 1 << 30;
pub(super) const LOG_SUFFIXES: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

/// A hive by its content.
struct HiveKind {
    name: &'static str,
    origin: Origin,
    /// Whether a root key is that of such a hive.
    is: fn(&Key<'_>) -> bool,
    read: fn(&Hive<'_>, &Key<'_>, &mut Sink),
}

/// The hives that say something about services.
const HIVES: [HiveKind; 3] = [
    HiveKind {
        name: system_hive::KIND.name,
        origin: Origin::SystemHive,
        is: system_hive::is_system,
        read: system_hive::read,
    },
    HiveKind {
        name: software_hive::KIND.name,
        origin: Origin::SoftwareHive,
        is: software_hive::is_software,
        read: software_hive::read,
    },
    HiveKind {
        name: security_hive::KIND.name,
        origin: Origin::SecurityHive,
        is: security_hive::is_security,
        read: security_hive::read,
    },
];

pub(super) fn read(input: &Input<'_>, _known: &Known, sink: &mut Sink) {
    if input.found.size == 0 {
        return nothing(input, sink);
    }
    let primary = match whole(input.evidence, &input.found) {
        Ok(bytes) => bytes,
        Err(message) => return sink.lost(message),
    };
    let logs = logs(input, sink);
    let replayed = replay(primary, &logs);
    let hive = match Hive::open(&replayed) {
        Ok(hive) => hive,
        Err(error) => return sink.lost(error.to_string()),
    };
    let root = match hive.root() {
        Ok(root) => root,
        Err(error) => return sink.lost(error.to_string()),
    };
    let Some(kind) = HIVES.iter().find(|kind| (kind.is)(&root)) else {
        return other(input, &root, sink);
    };
    sink.recognised(kind.name);
    let mut notes = describe_replay(&replayed, sink);
    sink.is_behind = replayed.was_dirty() && replayed.is_still_dirty();
    (kind.read)(&hive, &root, sink);
    notes.extend(changed_services(&replayed, sink));
    let state = if sink.is_damaged() { State::Partial } else { State::Complete };
    sink.cover(kind.origin, Span { state, from: None, to: sink.newest, notes });
}

/// The computer's name in a SYSTEM hive as it lies there, without its transaction logs.
pub(super) fn computer_name(evidence: &dyn Evidence, found: &Found) -> Option<String> {
    let replayed = replay(whole(evidence, found).ok()?, &[]);
    let hive = Hive::open(&replayed).ok()?;
    system_hive::computer_name(&hive.root().ok()?, found)
}

/// A hive that by its keys is none of these: lost where its place says that it should be, or where
/// the keys to tell it by may be in its damaged part.
fn other(input: &Input<'_>, root: &Key<'_>, sink: &mut Sink) {
    if !input.evidence.describe().windows.is_empty() {
        return sink.lost(format!("in the place of the {}, but without its keys", input.kind.name));
    }
    if !root.subkeys().damaged.is_empty() {
        return sink.lost("a registry hive so damaged that it cannot be told which");
    }
    sink.recognised("other registry hive");
    sink.note("a registry hive, but neither SYSTEM nor SOFTWARE nor SECURITY; not read");
}

/// Since Windows 10 1803 the files in `RegBack` are empty.
fn nothing(input: &Input<'_>, sink: &mut Sink) {
    if input.found.history.is_some() {
        sink.note("empty: Windows no longer writes this copy");
    } else {
        sink.lost("empty");
    }
}

/// All bytes of a file.
fn whole(evidence: &dyn Evidence, found: &Found) -> Result<Vec<u8>, String> {
    let too_large = || format!("{} bytes; hives above 1 GiB are not read", found.size);
    if found.size > LARGEST {
        return Err(too_large());
    }
    let content = evidence.open(&found.path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.size).unwrap_or_default());
    let read = content.take(LARGEST.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > LARGEST) {
        return Err(too_large());
    }
    Ok(bytes)
}

/// The transaction logs beside the hive. Empty ones are files like others but have nothing to say.
fn logs(input: &Input<'_>, sink: &mut Sink) -> Vec<LogFile> {
    let listing = input.evidence.beside(&input.found.path, &LOG_SUFFIXES);
    for diagnostic in listing.diagnostics {
        sink.partial(format!("{}: {}", diagnostic.artifact, diagnostic.message));
    }
    let mut logs = Vec::new();
    for found in listing.found {
        sink.file(&found, "registry transaction log");
        if found.size == 0 {
            continue;
        }
        match whole(input.evidence, &found) {
            Ok(bytes) => logs.push(LogFile { name: found.path.name().to_owned(), bytes }),
            Err(message) => sink.partial(format!("{}: {message}", found.path)),
        }
    }
    logs
}

/// Says how the hive's bytes came about, to the sink and for the coverage.
fn describe_replay(replayed: &Replayed, sink: &mut Sink) -> Vec<String> {
    let mut notes = Vec::new();
    if !replayed.was_dirty() {
        return notes;
    }
    for log in replayed.logs.iter().filter(|log| log.damaged) {
        let reason = log.refused.as_deref().unwrap_or("damaged");
        sink.partial(format!("transaction log {}: {reason}", log.name));
    }
    if let Some(name) = &replayed.base_block_from {
        notes.push(format!("the base block is damaged and was taken from {name}"));
    }
    if !replayed.is_still_dirty() {
        notes.push(applied(&replayed.logs));
        for log in replayed.logs.iter().filter(|log| !log.damaged && log.applied.is_none()) {
            let reason = log.refused.as_deref().unwrap_or("not a log of this hive");
            sink.note(format!("transaction log {} not applied: {reason}", log.name));
        }
    } else if replayed.logs.is_empty() {
        sink.partial(
            "not written to its end, and no transaction log beside it: its last changes may be missing",
        );
        notes.push("dirty, no transaction logs".into());
    } else {
        sink.partial(
            "not written to its end, and no transaction log applies: its last changes may be missing",
        );
        for log in &replayed.logs {
            let reason = log.refused.as_deref().unwrap_or("nothing to apply");
            notes.push(format!("{} not applied: {reason}", log.name));
        }
    }
    notes
}

/// `SYSTEM.LOG1 and SYSTEM.LOG2 replayed: 24 entries, 2107 to 2130`.
fn applied(logs: &[LogReport]) -> String {
    let applied: Vec<_> =
        logs.iter().filter_map(|log| Some((log.name.as_str(), log.applied?))).collect();
    let names: Vec<&str> = applied.iter().map(|(name, _)| *name).collect();
    let entries = applied.iter().fold(0_usize, |sum, (_, one)| sum.saturating_add(one.entries));
    let first = applied.iter().map(|(_, one)| one.first_sequence).min().unwrap_or_default();
    let last = applied.iter().map(|(_, one)| one.last_sequence).max().unwrap_or_default();
    let names = names.join(" and ");
    if entries == 1 {
        format!("{names} replayed: 1 entry, {first}")
    } else {
        format!("{names} replayed: {entries} entries, {first} to {last}")
    }
}

/// How much of what was read stands only in the logs.
fn changed_services(replayed: &Replayed, sink: &Sink) -> Option<String> {
    if replayed.changes.spans().is_empty() {
        return None;
    }
    let changed = sink.facts.iter().filter(|fact| system_hive::is_from_log(fact)).count();
    (changed > 0).then(|| format!("{changed} service keys differ from the primary file"))
}

/// A lookup whose place may be damaged: the damage is told, and the search goes on without it.
pub(super) fn unless_damaged<T>(
    result: Result<Option<T>, HiveError>,
    sink: &mut Sink,
) -> Option<T> {
    result.unwrap_or_else(|error| {
        sink.partial(error.to_string());
        None
    })
}
