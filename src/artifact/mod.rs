//! Which files matter, and how each becomes facts.

pub mod event_kind;
pub mod event_log;
pub mod hive;
pub mod powershell_log;
pub mod security_log;
pub mod service_values;
pub mod sysmon_log;
pub mod system_log;

mod registry_change;
