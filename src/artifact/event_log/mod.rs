//! Event logs (EVTX): the only place that names `evtx`.

mod record;

pub use record::{Record, RecordState};
