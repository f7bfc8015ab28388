//! Counts the live records of logs by event id: one JSON object per log, for comparing with other readers.
//!
//!     cargo run --example count_events -- IDS LOG…
//!
//! IDS are event ids separated by commas.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a tool for checks: it reads files that it is given and prints"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;

use serde_json::json;
use svctriage::artifact::event_log::{Record, RecordState, Selection, read_log};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let ids = arguments.next().ok_or("usage: count_events IDS LOG…")?;
    let ids: Vec<u16> = ids.split(',').map(str::parse).collect::<Result<_, _>>()?;
    let selection = ids.iter().fold(Selection::none(), |selection, id| selection.event(*id));
    for path in arguments {
        let mut live: BTreeMap<String, u64> = BTreeMap::new();
        let mut other = 0_u64;
        let mut count = |record: Record| {
            if record.state == RecordState::Live {
                let count = live.entry(record.event_id.to_string()).or_default();
                *count = count.saturating_add(1);
            } else {
                other = other.saturating_add(1);
            }
        };
        let reading = read_log(&mut File::open(&path)?, &selection, &mut count)?;
        println!(
            "{}",
            json!({ "log": path, "live": live, "records": reading.live, "other": other })
        );
    }
    Ok(())
}
