//! Event logs, written as the Windows event log service writes them: chunks of 64 KiB with string and template
//! tables, records in binary XML whose templates are stored once per chunk.
//!
//! Layout: Metz, "Windows XML Event Log (EVTX) format"; shapes of templates and of unflushed chunks measured on
//! logs of Windows 10 and Server 2016.

mod chunk;
mod crc32;
mod event;
mod large;
mod log;
mod template;
mod tree;
mod value;

pub use event::{Event, Payload, Provider};
pub use large::{CHUNK_SIZE, FILE_HEADER_SIZE, shift};
pub use log::{Log, State};
pub use value::Value;
