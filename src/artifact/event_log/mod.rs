//! Event logs (EVTX): the only place that names `evtx`.
//!
//! [`read_log`] streams a log and hands out the records of a [`Selection`]; a record that is not wanted costs no more than a
//! look at its header. The [`LogReading`] says what the log amounts to as a whole.

mod bytes;
mod chunk;
mod decode;
mod definition;
mod direct;
mod examine;
mod peek;
mod program;
mod reading;
mod record;
mod render;
mod selection;
mod sequence;
mod summary;
mod template;
mod tokens;
mod value;

pub use direct::always_read;
pub use peek::{Peek, Seen, Worth};
pub use reading::{read_log, read_log_with};
pub use record::{Record, RecordState};
pub use selection::Selection;
pub use summary::{
    ChannelSpan, ChunkCounts, Damage, FileHeader, Gap, Gaps, LogReading, Mark, Rejection,
};
