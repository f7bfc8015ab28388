//! Settings of the host in hives: a value, or the key that lacks it; and what they mean for the silence of its logs.

use super::Sink;
use super::hive::{Key, Value};
use super::hive_file::unless_damaged;
use crate::host::posture::{Effect, Known, Posture};
use crate::host::{Citation, Coverage, Fact, Provenance};

/// What a look at a value found.
pub(super) struct Looked {
    /// The value; absent where nobody set it.
    pub(super) value: Option<Value>,
    /// The value, or the nearest key on its path.
    pub(super) citation: Citation,
}

impl Looked {
    /// Its number, where it is there and is one.
    pub(super) fn number(&self) -> Option<u64> {
        self.value.as_ref().and_then(number)
    }
}

/// Looks for a value below a key. Absent where damage stands in the way, which is told: no default can be claimed then.
pub(super) fn look(base: &Key<'_>, path: &str, name: &str, sink: &mut Sink) -> Option<Looked> {
    let mut key = base.clone();
    for part in path.split('\\').filter(|part| !part.is_empty()) {
        match key.subkey(part) {
            Ok(Some(next)) => key = next,
            Ok(None) => return Some(Looked { value: None, citation: cite(&key, sink) }),
            Err(error) => {
                sink.partial(error.to_string());
                return None;
            }
        }
    }
    match key.value(name) {
        Ok(Some(value)) => {
            let citation = cite_value(&key, &value, sink);
            Some(Looked { value: Some(value), citation })
        }
        Ok(None) => Some(Looked { value: None, citation: cite(&key, sink) }),
        Err(error) => {
            sink.partial(error.to_string());
            None
        }
    }
}

/// A switch: what its number means, and what its absence means.
pub(super) fn switch(
    known: &Known,
    looked: &Looked,
    meaning: impl FnOnce(u64) -> (&'static str, Effect),
    absent: (&'static str, Effect),
) -> Posture {
    let citation = looked.citation.clone();
    match (&looked.value, looked.number()) {
        (None, _) => known.by_default(absent.0, absent.1, citation),
        (Some(_), Some(number)) => {
            let (state, effect) = meaning(number);
            known.found(format!("{state} ({number})"), effect, citation)
        }
        (Some(value), None) => {
            let state = format!("{} is not a number", value.kind);
            known.found(state, Effect::Neutral, citation)
        }
    }
}

/// A sub-key, with damage told.
pub(super) fn below<'h>(base: &Key<'h>, path: &str, sink: &mut Sink) -> Option<Key<'h>> {
    unless_damaged(base.subkey(path), sink)
}

/// A number of either width.
pub(super) fn number(value: &Value) -> Option<u64> {
    value.dword().map(u64::from).or_else(|| value.qword())
}

/// A citation of a key.
pub(super) fn cite(key: &Key<'_>, sink: &Sink) -> Citation {
    sink.cite(key.path(), None, key.offset(), provenance(key.from_log()))
}

/// A citation of a key's value.
pub(super) fn cite_value(key: &Key<'_>, value: &Value, sink: &Sink) -> Citation {
    sink.cite(key.path(), Some(&value.name), value.offset, provenance(value.from_log))
}

fn provenance(from_log: bool) -> Provenance {
    if from_log { Provenance::TransactionLog } else { Provenance::Live }
}

/// A size in bytes as people say it.
pub(super) fn size(bytes: u64) -> String {
    match (bytes / (1 << 20), bytes / (1 << 10)) {
        (0, 0) => format!("{bytes} bytes"),
        (0, kilo) => format!("{kilo} KiB"),
        (mega, _) => format!("{mega} MiB"),
    }
}

/// Tells the coverage which events were not to be recorded: their absence from a log means nothing. The policy is that
/// of the end; what it was before, the log itself shows.
pub(super) fn limit(facts: &[Fact], coverage: &mut Coverage) {
    for fact in facts {
        let Fact::Posture(posture) = fact else { continue };
        let records = posture.known().and_then(|known| known.records);
        if let (Some((origin, event_id)), Effect::Blind) = (records, posture.effect) {
            coverage.record_unrecorded(origin, event_id, posture.citation.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_words() {
        for (bytes, words) in
            [(0, "0 bytes"), (1_052_672, "1 MiB"), (69_632, "68 KiB"), (20_971_520, "20 MiB")]
        {
            assert_eq!(size(bytes), words);
        }
    }
}
