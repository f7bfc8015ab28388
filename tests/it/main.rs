//! Behaviour at the ends: real bytes in, report out.

mod event_log;
mod event_log_damage;
mod support;
