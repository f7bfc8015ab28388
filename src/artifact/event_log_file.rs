//! An event log as evidence: streamed, its channels told by its records, its coverage by what it holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::copies::Compared;
use super::event_log::{LogReading, Record, read_log_with};
use super::heard::Heard;
use super::reach::Reach;
use super::sigma::{Judge, Judged};
use super::{ArtifactKind, Input, Known, LogRecords, Reading, Sink, event_kind};
use crate::evidence::{Magic, Pattern, Place};
use crate::host::{Coverage, Event, Fact, Origin, Provenance, Span, State};
use crate::text::{fold, same_name};

/// Event logs since Windows Vista. Any of them may hold forwarded or archived records of a channel that
/// matters, so all are looked through; a record that is not wanted costs a look at its header.
pub(super) const KIND: ArtifactKind = ArtifactKind {
    name: "event log",
    pattern: Pattern {
        magic: Magic::EventLog,
        places: &[
            Place::current("System32/winevt/Logs/*.evtx"),
            Place::current("System32/winevt/Logs/*"),
        ],
    },
    origin: None,
    without_it: "",
    read,
};

/// Event logs of Windows XP and Server 2003.
pub(super) const OLD_KIND: ArtifactKind = ArtifactKind {
    name: "event log in the old EVT format",
    pattern: Pattern {
        magic: Magic::OldEventLog,
        places: &[Place::current("System32/config/*.evt")],
    },
    origin: None,
    without_it: "",
    read: |input, _known, sink| {
        sink.partial("the EVT format of Windows XP and Server 2003 is not read");
        if let Some(witness) = witness_by_file_name(input.found.path.name()) {
            sink.cover(witness.origin, span(State::Lost, None, None));
        }
    },
};

/// A channel that is listened to.
pub(super) struct Witness {
    pub(super) origin: Origin,
    pub(super) channel: &'static str,
    /// What Windows calls the file, without its extension; `/` in a channel becomes `%4`.
    pub(super) files: &'static [&'static str],
    /// Which questions stay open without it.
    pub(super) without_it: &'static str,
}

/// The channels that say something about services.
pub(super) const WITNESSES: [Witness; 6] = [
    Witness {
        origin: Origin::SystemLog,
        channel: "System",
        files: &["System", "SysEvent"],
        without_it: "when services were installed, changed and started, and by whom",
    },
    Witness {
        origin: Origin::SecurityLog,
        channel: "Security",
        files: &["Security", "SecEvent"],
        without_it: "who was logged on, from where, and which processes services started",
    },
    Witness {
        origin: Origin::SysmonLog,
        channel: "Microsoft-Windows-Sysmon/Operational",
        files: &["Microsoft-Windows-Sysmon%4Operational"],
        without_it: "processes, connections and registry writes, where Sysmon was installed",
    },
    Witness {
        origin: Origin::PowerShellLog,
        channel: "Windows PowerShell",
        files: &["Windows PowerShell"],
        without_it: "services created by PowerShell commands",
    },
    Witness {
        origin: Origin::PowerShellLog,
        channel: "Microsoft-Windows-PowerShell/Operational",
        files: &["Microsoft-Windows-PowerShell%4Operational"],
        without_it: "services created by PowerShell scripts",
    },
    Witness {
        origin: Origin::PowerShellLog,
        channel: "PowerShellCore/Operational",
        files: &["PowerShellCore%4Operational"],
        without_it: "services created by PowerShell 7 scripts, where it was installed",
    },
];

/// What only some event ids of a channel witness.
const SPECIAL: [(Origin, Origin, &[u16]); 6] = [
    (Origin::ProcessEvents, Origin::SecurityLog, &[4688]),
    (Origin::ProcessEvents, Origin::SysmonLog, &[1]),
    (Origin::NetworkEvents, Origin::SecurityLog, &[5156]),
    (Origin::NetworkEvents, Origin::SysmonLog, &[3]),
    (Origin::RegistryEvents, Origin::SecurityLog, &[4657]),
    (Origin::RegistryEvents, Origin::SysmonLog, &[12, 13, 14]),
];

/// Events whose absence from a whole log is worth a remark: auditing may simply be off.
const EXPECTED: [(Origin, &[u16]); 3] = [
    (Origin::SystemLog, &[7045]),
    (Origin::SecurityLog, &[4697, 4688, 4624]),
    (Origin::SysmonLog, &[1, 3, 13]),
];

/// The witness behind a channel's name.
pub(super) fn witness(channel: &str) -> Option<&'static Witness> {
    WITNESSES.iter().find(|witness| same_name(witness.channel, channel))
}

/// The witness that Windows keeps in a file of that name.
pub(super) fn witness_by_file_name(name: &str) -> Option<&'static Witness> {
    let name = fold(name);
    let stem = name.strip_suffix(".EVTX").or_else(|| name.strip_suffix(".EVT")).unwrap_or(&name);
    WITNESSES.iter().find(|witness| witness.files.iter().any(|file| fold(file) == stem))
}

fn span(state: State, from: Option<Timestamp>, to: Option<Timestamp>) -> Span {
    Span { state, from, to, notes: Vec::new() }
}

/// What a record is told as: the event that it is, if any, with what newer logs hold of it, and what rules say of it.
type Told = (Option<(Compared, Event)>, Option<Judged>);

fn read(input: &Input<'_>, known: &Known, sink: &mut Sink) {
    let name = input.found.path.name();
    let mut content = match input.evidence.open(&input.found.path) {
        Ok(content) => content,
        Err(error) => return lost(&format!("cannot be read: {error}"), input, sink),
    };
    let artifact = sink.artifact();
    let is_older = input.found.history.is_some();
    let (mut facts, mut records, mut altered) = (Vec::new(), LogRecords::default(), 0_u64);
    let mut judge = Judge::new(input.rules);
    let interpret = |record: Record| {
        let event = event_kind::interpret(&record, &artifact);
        let event = event.map(|event| (known.compare(&event), event));
        let is_repeated = is_older && matches!(event, Some((Compared::Same, _)));
        let judged = if is_repeated {
            None
        } else {
            input.rules.judge(&record, || event_kind::cite(&record, &artifact))
        };
        (event.is_some() || judged.is_some()).then_some((event, judged))
    };
    let mut take = |told: &mut Vec<Told>| {
        for (event, judged) in told.drain(..) {
            judge.take(judged);
            let Some((compared, event)) = event else { continue };
            match compared {
                Compared::Same if is_older => {
                    records.repeated = records.repeated.saturating_add(1);
                    continue;
                }
                Compared::Altered if is_older => altered = altered.saturating_add(1),
                _ => {}
            }
            records.added = records.added.saturating_add(1);
            facts.push(Fact::Event(Box::new(event)));
        }
    };
    let selection = input.rules.widen(event_kind::selection());
    let reading = match read_log_with(content.as_mut(), &selection, &interpret, &mut take) {
        Ok(reading) if reading.is_event_log() => reading,
        Ok(_) => return lost("not an event log", input, sink),
        Err(error) => return lost(&format!("cannot be read: {error}"), input, sink),
    };
    sink.facts = facts;
    sink.heard = Heard::new(judge.finish(), reading.channels.keys());
    if is_older {
        sink.added(records);
    }
    if altered > 0 {
        sink.note(format!(
            "records that say something else than those of the same id and time in a newer log: {altered}; both are kept"
        ));
    }
    if matters(&reading, name, sink) {
        tell(&reading, sink);
        cover(&reading, name, sink);
    }
}

/// A log that gave nothing. Windows names files after channels, so in its place the name says what was lost with
/// it; elsewhere the name says nothing, and the loss may be any.
fn lost(message: &str, input: &Input<'_>, sink: &mut Sink) {
    match witness_by_file_name(input.found.path.name()) {
        Some(witness) => {
            sink.lost(message);
            sink.cover(witness.origin, span(State::Lost, None, None));
        }
        None if input.evidence.describe().windows.is_empty() => sink.lost(message),
        None => {
            sink.note(format!("{message}; by its name, not one that says anything about services"));
        }
    }
}

/// Whether a log can say something about services; the state of the several hundred others is of no interest.
fn matters(reading: &LogReading, name: &str, sink: &Sink) -> bool {
    !sink.facts.is_empty()
        || witness_by_file_name(name).is_some()
        || reading.channels.keys().any(|channel| channel.is_empty() || witness(channel).is_some())
        || reading.channels.is_empty() && (reading.damaged > 0 || reading.missing_chunks() > 0)
}

/// How the log was found, in sentences.
fn tell(reading: &LogReading, sink: &mut Sink) {
    let chunks = &reading.chunks;
    for (count, what) in [
        (chunks.bad_magic, "are no chunks"),
        (chunks.bad_header_checksum, "have a header whose checksum is wrong"),
        (chunks.bad_records_checksum, "hold records whose checksum is wrong"),
        (chunks.truncated, "are cut off by the end of the file"),
        (chunks.unreadable, "cannot be read"),
    ] {
        if count > 0 {
            sink.partial(format!("{count} of {} chunks {what}", chunks.total));
        }
    }
    let missing = reading.missing_chunks();
    if missing > 0 {
        sink.partial(format!(
            "cut off: {missing} chunks that the file header counts are not there"
        ));
    }
    if reading.header.is_none() {
        sink.partial("the file header is damaged; the chunks were read all the same");
    }
    for damage in &reading.damage {
        sink.partial(format!("chunk {} at {:#x}: {}", damage.chunk, damage.offset, damage.message));
    }
    let kept = u64::try_from(reading.damage.len()).unwrap_or(u64::MAX);
    let more = reading.damaged.saturating_sub(kept);
    if more > 0 {
        sink.partial(format!("{more} more places could not be read"));
    }
    if reading.unflushed > 0 {
        sink.note(format!(
            "copied from a running host; {} records in chunks not yet written back were read as well",
            reading.unflushed
        ));
    }
    if reading.recovered > 0 {
        let recovered = reading.recovered;
        sink.note(format!("{recovered} records were recovered from unused parts of chunks"));
    }
}

/// Records how far each channel in the log reaches. A log without records still is a witness of sorts: of a
/// log that was cleared or never written.
fn cover(reading: &LogReading, name: &str, sink: &mut Sink) {
    let state = if sink.is_damaged() { State::Partial } else { State::Complete };
    let mut spans: BTreeMap<Origin, Span> = BTreeMap::new();
    for (channel, found) in &reading.channels {
        if let Some(witness) = witness(channel) {
            sink.reaches.extend(Reach::of(reading, witness.origin, channel, found, sink));
            let known = spans.entry(witness.origin).or_insert_with(|| span(state, None, None));
            known.from = known.from.into_iter().chain(found.first).min();
            known.to = known.to.max(found.last);
        }
    }
    let mut notes = Vec::new();
    if reading.channels.is_empty()
        && let Some(witness) = witness_by_file_name(name)
    {
        spans.insert(witness.origin, span(state, None, None));
        notes.push(format!("{name}: no records in it"));
    }
    if reading.unflushed > 0 {
        let count = reading.unflushed;
        notes.push(format!("{name}: {count} records from chunks not yet written back"));
    }
    if reading.recovered > 0 {
        notes.push(format!("{name}: {} records recovered from unused space", reading.recovered));
    }
    if reading.gaps.count > 0 {
        let gaps = &reading.gaps;
        let (count, missing) = (gaps.count, gaps.missing);
        notes.push(format!("{name}: {count} gaps in the record ids, {missing} missing"));
    }
    notes.extend(lost_end(reading).map(|count| {
        format!("{name}: the {count} newest records that its header counts are not in it")
    }));
    for (origin, mut span) in spans {
        span.notes.clone_from(&notes);
        sink.cover(origin, span);
    }
}

/// How many records at the end are missing by the file header of a log that was closed: one that was open or copied live has
/// a header that was not written back.
fn lost_end(reading: &LogReading) -> Option<u64> {
    let header = reading.header.filter(|header| !header.dirty)?;
    let last = reading.last.filter(|_| reading.channels.len() == 1 && reading.unflushed == 0)?;
    let count = header.next_record_id.checked_sub(last.record_id.checked_add(1)?)?;
    (count > 0).then_some(count)
}

/// What is known only when every log was read: which witnesses never spoke of something.
pub(super) fn finish(reading: &mut Reading) {
    let mut times: BTreeMap<(Origin, u16), (Timestamp, Timestamp)> = BTreeMap::new();
    let mut seen: BTreeSet<(Origin, u16)> = BTreeSet::new();
    for event in reading.facts.iter().filter_map(event) {
        let Some((origin, id)) = origin_of(event) else { continue };
        seen.insert((origin, id));
        // A recovered record does not vouch for the time between itself and what the log still holds.
        if event.citation.provenance != Provenance::Recovered {
            let (first, last) = times.entry((origin, id)).or_insert((event.time, event.time));
            *first = (*first).min(event.time);
            *last = (*last).max(event.time);
        }
    }
    for special in [Origin::ProcessEvents, Origin::NetworkEvents, Origin::RegistryEvents] {
        let speakers: Vec<Speaker> = SPECIAL
            .iter()
            .filter(|(of, ..)| *of == special)
            .filter_map(|(_, log, ids)| Speaker::of(*log, ids, &times, &reading.coverage))
            .collect();
        // One that is still recorded is enough.
        let any_speaks = speakers.iter().any(|speaker| !speaker.silenced);
        for speaker in speakers.into_iter().filter(|speaker| !speaker.silenced || !any_speaks) {
            speaker.record(special, &mut reading.coverage);
        }
    }
    for (origin, ids) in EXPECTED {
        let state = reading.coverage.state(origin);
        if !matches!(state, State::Complete | State::Partial) {
            continue;
        }
        let notes = ids.iter().filter(|id| !seen.contains(&(origin, **id)));
        let notes = notes.map(|id| format!("no {id} in it")).collect();
        reading.coverage.record(origin, Span { state, from: None, to: None, notes });
    }
}

/// A log as the witness of what only some of its events say.
struct Speaker {
    log: Origin,
    span: Span,
    /// Whether the host was set up not to record any of these events when the evidence was taken.
    silenced: bool,
}

impl Speaker {
    /// The log from its first such event on; where they are no longer recorded, up to the last.
    fn of(
        log: Origin,
        ids: &[u16],
        times: &BTreeMap<(Origin, u16), (Timestamp, Timestamp)>,
        coverage: &Coverage,
    ) -> Option<Self> {
        let found = || ids.iter().filter_map(|id| times.get(&(log, *id)).copied());
        let (from, last) = (found().map(|(first, _)| first).min()?, found().map(|one| one.1).max());
        let known = coverage.span(log)?;
        // A damaged log of an older state gives events and vouches for no time.
        let from = Some(known.from.map_or(from, |reaches| from.max(reaches)));
        let mut notes = vec![format!("from the {}", log.label())];
        let silenced = ids.iter().all(|id| coverage.is_unrecorded(log, *id));
        let (mut state, mut to) = (known.state, known.to);
        if silenced {
            notes.push("no longer recorded, by the audit policy".to_owned());
            to = to.min(last);
            if state == State::Complete {
                state = State::Partial;
            }
        }
        Some(Self { log, span: Span { state, from, to, notes }, silenced })
    }

    fn record(self, special: Origin, coverage: &mut Coverage) {
        coverage.record(special, self.span);
        for gap in coverage.gaps(self.log).to_vec() {
            coverage.record_gap(special, gap);
        }
    }
}

fn event(fact: &Fact) -> Option<&Event> {
    match fact {
        Fact::Event(event) => Some(event),
        _ => None,
    }
}

fn origin_of(event: &Event) -> Option<(Origin, u16)> {
    match &event.citation.place {
        crate::host::Place::Record { channel, event_id, .. } => {
            Some((witness(channel)?.origin, *event_id))
        }
        _ => None,
    }
}
