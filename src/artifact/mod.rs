//! Which files matter, and how each becomes facts.

pub mod event_log;
pub mod hive;
pub mod service_values;
