//! Records straight from their bytes: no text is written to be read again.
//!
//! What is not understood exactly is left to rendering, which is the reference: a test reads every record of real logs both
//! ways and finds them equal.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::chunk::{Entry, RECORD_HEADER_SIZE};
use super::decode::{Place, parse, push};
use super::definition::Definition;
use super::peek::{Peek, Seen};
use super::program::{Field, Program, Source, Step};
use super::record::Record;
use super::selection::{Fields, Plan};
use super::value::{Instance, Value, text};

/// Reads the records of one chunk, keeping what was learned about its templates.
pub(super) struct Direct<'c> {
    data: &'c [u8],
    /// By offset of the definition.
    events: BTreeMap<usize, Option<Program>>,
    nested: BTreeMap<usize, Option<Chosen>>,
    /// The values of the record at hand.
    outer: Instance<'c>,
    inner: Instance<'c>,
}

/// The program of a nested template, and which of its steps matter.
struct Chosen {
    program: Program,
    fields: Fields,
    /// By step; empty where all matter.
    wanted: Vec<bool>,
}

/// What became of a record.
#[derive(Debug)]
pub(super) enum Outcome {
    Record(Box<Record>),
    /// Its values say that it is of no interest.
    Unwanted,
    /// It has to be rendered.
    NotUnderstood,
}

impl<'c> Direct<'c> {
    pub(super) fn new(data: &'c [u8]) -> Self {
        Self {
            data,
            events: BTreeMap::new(),
            nested: BTreeMap::new(),
            outer: Instance::default(),
            inner: Instance::default(),
        }
    }

    /// Reads a record.
    pub(super) fn read(&mut self, entry: &Entry, place: &Place, plan: &Plan) -> Outcome {
        self.try_read(entry, place, plan).unwrap_or(Outcome::NotUnderstood)
    }

    fn try_read(&mut self, entry: &Entry, place: &Place, plan: &Plan) -> Option<Outcome> {
        let data = self.data;
        let from = entry.offset.checked_add(RECORD_HEADER_SIZE)?;
        self.outer.read(data, from, entry.end().checked_sub(4)?)?;
        let definition = self.outer.definition;
        let event = self
            .events
            .entry(definition)
            .or_insert_with(|| Program::of_event(&Definition::read(data, definition)?));
        let event = event.as_ref().filter(|program| program.slots <= self.outer.values.len())?;
        let nested = match document(event, &self.outer) {
            Err(Documents::None) => None,
            Err(Documents::Unusual) => return None,
            Ok(value) => {
                let (from, until) = value.range();
                self.inner.read(data, from, until)?;
                let definition = self.inner.definition;
                let chosen = self.nested.entry(definition).or_insert_with(|| {
                    Program::of_data(&Definition::read(data, definition)?).map(Chosen::new)
                });
                let chosen = chosen.as_mut()?;
                chosen.choose(plan.fields);
                (chosen.program.slots <= self.inner.values.len()).then_some(())?;
                // A document inside the document.
                self.inner.values.iter().all(|value| !value.is_document()).then_some(())?;
                Some((&*chosen, &self.inner))
            }
        };
        if let (Some(worth), Some((chosen, values))) = (plan.worth, nested)
            && !worth(&Peek::new(&|name| chosen.program.see(values, name)))
        {
            return Some(Outcome::Unwanted);
        }
        let mut draft = Draft::new(place);
        draft.run(event, &self.outer, &[], nested)?;
        draft.finish().map(|record| Outcome::Record(Box::new(record)))
    }
}

/// Whether named data is read whatever fields a reader asks for: positional values, `Binary` and accounts.
pub fn always_read(name: &str) -> bool {
    ["param", "Binary", "Subject", "Target"].iter().any(|start| name.starts_with(start))
}

/// Why an event has not one nested document.
enum Documents {
    None,
    /// Several, or one where none is expected.
    Unusual,
}

/// The one nested document of an event.
fn document<'v, 'c>(event: &Program, values: &'v Instance<'c>) -> Result<&'v Value<'c>, Documents> {
    let mut found = Err(Documents::None);
    for (slot, value) in values.values.iter().enumerate() {
        if !value.is_document() {
            continue;
        }
        let holds = |step: &Step| match step {
            Step::Nested { slot: place, .. } | Step::Leaf { slot: place, nests: true, .. } => {
                usize::from(*place) == slot
            }
            _ => false,
        };
        if found.is_ok() || !event.steps.iter().any(holds) {
            return Err(Documents::Unusual);
        }
        found = Ok(value);
    }
    found
}

impl Chosen {
    fn new(program: Program) -> Self {
        Self { program, fields: Fields::All, wanted: Vec::new() }
    }

    /// Marks the steps that give the wanted fields.
    fn choose(&mut self, fields: Fields) {
        if self.fields == fields {
            return;
        }
        self.fields = fields;
        self.wanted = match fields {
            Fields::All => Vec::new(),
            Fields::Only(names) => {
                let wanted = |step: &Step| match step {
                    Step::Leaf { name, .. }
                    | Step::Named { name, .. }
                    | Step::Text { name, .. } => {
                        always_read(name) || names.iter().any(|one| name.eq_ignore_ascii_case(one))
                    }
                    _ => true,
                };
                self.program.steps.iter().map(wanted).collect()
            }
        };
    }
}

impl Program {
    /// A value as it is, for a look before its text is made.
    fn see<'c>(&self, values: &Instance<'c>, wanted: &str) -> Seen<'c> {
        let slot = self.steps.iter().find_map(|step| match step {
            Step::Leaf { name, slot, .. } | Step::Named { name, slot }
                if name.eq_ignore_ascii_case(wanted) =>
            {
                Some(*slot)
            }
            _ => None,
        });
        match slot.and_then(|slot| values.value(slot)).and_then(Value::utf16) {
            Some(utf16) => Seen::Utf16(utf16),
            None => Seen::Unknown,
        }
    }
}

type Nested<'n, 'c> = Option<(&'n Chosen, &'n Instance<'c>)>;

/// A record in the making.
struct Draft {
    record: Record,
    event_id: Option<u16>,
    source_name: Option<String>,
    has_provider: bool,
}

impl Draft {
    fn new(place: &Place) -> Self {
        let record = Record {
            channel: String::new(),
            provider: String::new(),
            event_id: 0,
            qualifiers: None,
            record_id: place.record_id,
            file_record_id: place.record_id,
            time: place.time,
            computer: String::new(),
            user_sid: None,
            process_id: None,
            thread_id: None,
            level: None,
            keywords: None,
            data: Vec::new(),
            params: Vec::new(),
            binary: None,
            state: place.state,
            chunk: place.chunk,
            offset: place.offset,
        };
        Self { record, event_id: None, source_name: None, has_provider: false }
    }

    /// The record, if it says what it is.
    fn finish(mut self) -> Option<Record> {
        self.record.event_id = self.event_id?;
        if let Some(name) = self.source_name.filter(|_| !self.has_provider) {
            self.record.provider = name;
        }
        Some(self.record)
    }

    /// Takes the steps; `None` at the first value that is not understood.
    fn run(
        &mut self,
        program: &Program,
        values: &Instance<'_>,
        wanted: &[bool],
        nested: Nested<'_, '_>,
    ) -> Option<()> {
        let mut at = 0_usize;
        while let Some(step) = program.steps.get(at) {
            at = at.checked_add(1)?;
            match step {
                Step::Depends { slot, steps } => {
                    if values.value(*slot)?.is_null() {
                        at = at.checked_add(*steps)?;
                    }
                }
                Step::System { field, source } => match source {
                    Source::Text(text) => self.field_text(*field, text.as_ref().to_owned()),
                    Source::Slot(slot) => self.field(*field, values.value(*slot)?)?,
                },
                step => {
                    let is_wanted = wanted.get(at.saturating_sub(1)).copied().unwrap_or(true);
                    self.data(step, values, is_wanted, nested)?;
                }
            }
        }
        Some(())
    }

    fn data(
        &mut self,
        step: &Step,
        values: &Instance<'_>,
        is_wanted: bool,
        nested: Nested<'_, '_>,
    ) -> Option<()> {
        match step {
            Step::Leaf { slot, nests, .. } if values.value(*slot)?.is_document() => {
                let (chosen, inside) = nested.filter(|_| *nests)?;
                self.run(&chosen.program, inside, &chosen.wanted, None)
            }
            Step::Nested { slot, siblings } => {
                let value = values.value(*slot)?;
                if !value.is_document() {
                    return value.is_empty()?.then_some(());
                }
                let (chosen, inside) = nested?;
                let root = &chosen.program.root;
                siblings.iter().all(|name| name != root).then_some(())?;
                self.run(&chosen.program, inside, &chosen.wanted, None)
            }
            Step::Leaf { name, slot, .. } => {
                let value = values.value(*slot)?;
                if !value.is_empty()? {
                    self.push(name, value, is_wanted)?;
                }
                Some(())
            }
            Step::Named { name, slot } => self.push(name, values.value(*slot)?, is_wanted),
            Step::Unnamed { slot, only } => {
                let value = values.value(*slot)?;
                match value.list() {
                    Some(items) if *only => self.record.params.extend(items),
                    _ => self.push("Data", value, true)?,
                }
                Some(())
            }
            Step::Text { name, text } => {
                if is_wanted {
                    push(name.as_ref().into(), text.as_ref().into(), &mut self.record);
                }
                Some(())
            }
            Step::Depends { .. } | Step::System { .. } => Some(()),
        }
    }

    fn push(&mut self, name: &str, value: &Value<'_>, is_wanted: bool) -> Option<()> {
        if is_wanted {
            push(name.into(), value.text()?.into(), &mut self.record);
            return Some(());
        }
        // A value that has no text would cost the record when it is rendered.
        value.has_text().then_some(())
    }

    fn field(&mut self, field: Field, value: &Value<'_>) -> Option<()> {
        if field == Field::Ignored {
            return value.has_text().then_some(());
        }
        if value.is_empty()? {
            return Some(());
        }
        let record = &mut self.record;
        match (field, value.unsigned()) {
            (Field::EventId, Some(number)) => self.event_id = u16::try_from(number).ok(),
            (Field::Qualifiers, Some(number)) => record.qualifiers = u16::try_from(number).ok(),
            (Field::Level, Some(number)) => record.level = u8::try_from(number).ok(),
            (Field::Keywords, Some(number)) => record.keywords = Some(number),
            (Field::RecordId, Some(number)) => record.record_id = number,
            (Field::ProcessId, Some(number)) => record.process_id = u32::try_from(number).ok(),
            (Field::ThreadId, Some(number)) => record.thread_id = u32::try_from(number).ok(),
            (Field::Time, _) => record.time = value.time()?,
            (Field::Channel, _) => record.channel = text(value.utf16()?)?,
            (Field::Computer, _) => record.computer = text(value.utf16()?)?,
            (field, _) => self.field_text(field, value.text()?),
        }
        Some(())
    }

    fn field_text(&mut self, field: Field, text: String) {
        let record = &mut self.record;
        match field {
            Field::ProviderName => {
                self.has_provider = true;
                record.provider = text;
            }
            Field::EventSourceName => self.source_name = Some(text),
            Field::EventId => self.event_id = parse(&text),
            Field::Qualifiers => record.qualifiers = parse(&text),
            Field::Level => record.level = parse(&text),
            Field::Keywords => record.keywords = parse(&text),
            Field::RecordId => record.record_id = parse(&text).unwrap_or(record.record_id),
            Field::ProcessId => record.process_id = parse(&text),
            Field::ThreadId => record.thread_id = parse(&text),
            Field::Time => {
                let written: Option<Timestamp> = text.trim().parse().ok();
                record.time = written.unwrap_or(record.time);
            }
            Field::Channel => record.channel = text,
            Field::Computer => record.computer = text,
            Field::UserSid => record.user_sid = Some(text),
            Field::Ignored => {}
        }
    }
}
